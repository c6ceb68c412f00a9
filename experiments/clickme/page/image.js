// The image with the bubbles on it.

const BUBBLE = "rgba(57, 182, 232, 0.38)";

/**
 * Draw a round, at the screen's own resolution.
 * @param {HTMLCanvasElement} canvas
 * @param {{rules: any, image: HTMLImageElement, placed: [number, number][]}} round
 */
export function draw(canvas, { rules, image, placed }) {
  const scale = Math.max(1, Math.round((canvas.clientWidth * devicePixelRatio) / rules.image_px));
  const side = rules.image_px * scale;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.drawImage(image, 0, 0, rules.image_px, rules.image_px);
  context.fillStyle = BUBBLE;
  const half = Math.floor(rules.bubble_px / 2);
  context.beginPath(); // one path: where bubbles overlap, the image must stay visible
  for (const [x, y] of placed) context.rect(x - half, y - half, rules.bubble_px, rules.bubble_px);
  context.fill();
}
