/** The options that can be clicked or touched. */

import { element } from "./pages.js";

/**
 * Buttons in a grid that is filled column by column.
 * @param {{name: string, label: string, icon: string|null}[]} options
 * @param {Map<string, Blob>} icons hash → icon
 */
export function optionGrid(options, icons) {
  const buttons = options.map(({ name, label, icon }) => {
    const button = element("button", { type: "button", "data-area": name });
    const drawn = icon && icons.get(icon);
    if (drawn) button.append(element("img", { src: URL.createObjectURL(drawn), alt: "", draggable: "false" }));
    if (drawn) button.setAttribute("aria-label", label);
    else button.append(label);
    return button;
  });
  const grid = element("div", { class: "options" }, ...buttons);
  grid.style.setProperty("--rows", String(Math.ceil(Math.sqrt(options.length))));
  return grid;
}
