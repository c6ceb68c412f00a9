/* Loads the page's modules. A server that restarts meanwhile would leave a dead page: say so, wait for it, load again. */
(async () => {
  const main = document.currentScript?.dataset.main ?? "";
  const say = (/** @type {string} */ id) => {
    const words = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
    document.getElementById("page")?.replaceChildren(words.content);
  };
  const styled = getComputedStyle(document.documentElement).getPropertyValue("--ink") !== "";
  let old = false;
  if (styled)
    try {
      return void (await import(new URL(main, document.baseURI).href));
    } catch (error) {
      old = error instanceof SyntaxError;
    }
  say(old ? "too-old" : "waiting");
  if (old) return;
  for (let wait = 300; ; wait = Math.min(2 * wait, 5000)) {
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    const answer = await fetch(main, { cache: "no-store" }).catch(() => null);
    if (answer?.ok) return location.reload();
  }
})();
