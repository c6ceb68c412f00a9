/** The options that can be clicked or touched. */

import { element } from "./pages.js";

/**
 * Buttons in a grid that is filled column by column.
 * @param {{name: string, label: string, icon: string|null, area: boolean}[]} options
 * @param {Map<string, Blob>} icons hash → icon
 * @param {string|null} [lit] the option that is shown as the right one
 */
export function optionGrid(options, icons, lit = null) {
  const buttons = options.map(({ name, label, icon, area }) => {
    const clicked = area && lit === null; // others must not take the focus, and with it the keys
    const button = element("button", { type: "button", ...(clicked ? { "data-area": name } : { disabled: "" }) });
    if (name === lit) button.className = "lit";
    const drawn = icon && icons.get(icon);
    if (drawn) button.append(element("img", { src: URL.createObjectURL(drawn), alt: "", draggable: "false" }));
    if (drawn) button.setAttribute("aria-label", label);
    else button.append(label);
    return button;
  });
  const grid = element("div", { class: lit === null ? "options" : "options feedback" }, ...buttons);
  grid.style.setProperty("--rows", String(Math.ceil(Math.sqrt(options.length))));
  return grid;
}
