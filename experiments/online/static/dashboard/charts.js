/** Two small charts as SVG, drawn by hand: nothing to load, and they follow the page's colours. */

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [480, 220, 36, 28, 10, 26];

/** @param {string} tag @param {Record<string, string|number>} attributes @param {(Node|string)[]} children */
function node(tag, attributes, ...children) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} label @param {Node[]} parts */
function frame(label, ...parts) {
  return node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts);
}

/** @param {number} x @param {number} y @param {string} text @param {string} [anchor] */
const label = (x, y, text, anchor = "middle") => node("text", { x, y, "text-anchor": anchor }, text);

/**
 * Share correct by level, one line per group, with the standard error of a proportion.
 * @param {{group: string, level: string, n: number, correct: number}[]} levels
 * @param {string[]} labels
 */
export function accuracyChart(levels, labels) {
  const groups = [...new Set(levels.map((each) => each.group))];
  const x = (/** @type {number} */ i) => LEFT + ((WIDTH - LEFT - RIGHT) * (i + 0.5)) / Math.max(1, labels.length);
  const y = (/** @type {number} */ share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const parts = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    node("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share), class: share === 0.5 ? "axis" : "grid" }),
    label(LEFT - 6, y(share) + 4, `${100 * share}`, "end"),
  ]);
  labels.forEach((name, i) => parts.push(label(x(i), HEIGHT - 10, name)));
  groups.forEach((group, g) => {
    const points = levels.filter((each) => each.group === group && each.n);
    const place = (/** @type {any} */ each) => x(labels.indexOf(each.level)) + (g - (groups.length - 1) / 2) * 5;
    const path = points.map((each) => `${place(each)},${y(each.correct / each.n)}`).join(" ");
    parts.push(node("polyline", { points: path, class: `line series-${g % 3}` }));
    for (const each of points) {
      const share = each.correct / each.n;
      const error = Math.sqrt((share * (1 - share)) / each.n);
      const [low, high] = [Math.max(0, share - error), Math.min(1, share + error)];
      parts.push(node("line", { x1: place(each), x2: place(each), y1: y(low), y2: y(high), class: `series-${g % 3}` }));
      const text = `${group}, level ${each.level}: ${(100 * share).toFixed(0)} % of ${each.n}`;
      parts.push(node("circle", { cx: place(each), cy: y(share), r: 3.5, class: `series-${g % 3}` }, node("title", {}, text)));
    }
  });
  const box = document.createElement("div");
  box.append(frame("Per cent correct by reveal level and group", ...parts));
  const legend = document.createElement("p");
  legend.className = "legend";
  groups.forEach((group, g) => {
    const entry = document.createElement("span");
    const swatch = document.createElement("span");
    swatch.className = `swatch series-${g % 3}`;
    entry.append(swatch, group);
    legend.append(entry);
  });
  legend.append(groups.length ? "per cent correct of answers in time, ± standard error" : "No answers yet.");
  box.append(legend);
  return box;
}

/**
 * @param {number[]} bins counts
 * @param {number} binMs
 * @param {number} limitMs later answers are late
 */
export function histogramChart(bins, binMs, limitMs) {
  const most = Math.max(1, ...bins);
  const width = (WIDTH - LEFT - RIGHT) / bins.length;
  const y = (/** @type {number} */ n) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - n / most);
  const x = (/** @type {number} */ ms) => LEFT + (ms / binMs) * width;
  const parts = bins.map((n, i) =>
    node(
      "rect",
      { x: LEFT + i * width + 0.5, y: y(n), width: width - 1, height: HEIGHT - BOTTOM - y(n), class: i * binMs >= limitMs ? "bar late" : "bar" },
      node("title", {}, `${i * binMs} to ${(i + 1) * binMs} ms: ${n}`),
    ),
  );
  parts.push(node("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM, class: "axis" }));
  parts.push(label(LEFT - 6, TOP + 8, String(most), "end"), label(LEFT - 6, HEIGHT - BOTTOM, "0", "end"));
  for (let ms = 0; ms <= bins.length * binMs; ms += 200) parts.push(label(x(ms), HEIGHT - 10, `${ms} ms`));
  parts.push(node("line", { x1: x(limitMs), x2: x(limitMs), y1: TOP, y2: HEIGHT - BOTTOM, class: "axis", "stroke-dasharray": "3 3" }));
  return frame(`Histogram of response times; the limit is ${limitMs} ms`, ...parts);
}
