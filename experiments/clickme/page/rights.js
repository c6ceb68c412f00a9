// What players agree to, their own data, and its deletion.

import { ask } from "./ask.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** The text that players agree to, its hash, and the least age; as the server has them. */
let terms = { consent: "", consent_sha256: "", min_age: 0 };

/**
 * Show what must be agreed to, if anything.
 * @param {URL} root
 */
export async function showTerms(root) {
  const answer = await ask(new URL("api/game", root));
  if (answer?.ok) terms = answer.value;
  $("terms").hidden = !terms.consent && !terms.min_age;
  $("consent-text").textContent = terms.consent;
  $("consent-line").hidden = !terms.consent;
  $("agree").required = Boolean(terms.consent);
  $("age-line").hidden = !terms.min_age;
  $("of-age").required = terms.min_age > 0;
  $("min-age").textContent = String(terms.min_age);
}

/** Whether the browser is content with the boxes; it says itself what is missing. */
export const termsAccepted = () => $("terms").reportValidity();

/** What joining sends about them. */
export const agreed = () => ({ consent: $("agree").checked ? terms.consent_sha256 : "", of_age: $("of-age").checked });

/**
 * Agree to a text that has changed since the player last played; true when the server has it.
 * @param {URL} root
 */
export async function agreeAgain(root) {
  const answer = await ask(new URL("api/consent", root), agreed());
  return Boolean(answer?.ok);
}

/**
 * Delete all that is stored under a withdrawal code.
 * @param {URL} root
 * @param {string} code
 * @param {any} told Where the outcome is shown.
 */
export async function erase(root, code, told) {
  const answer = await ask(new URL("api/erase", root), { code });
  if (answer === null) told.textContent = "The server does not answer. Nothing was deleted; try again.";
  else if (answer.ok) told.textContent = `Deleted: ${answer.value.rounds} rounds and ${answer.value.bubbles} bubbles.`;
  else told.textContent = answer.value.text;
  return Boolean(answer?.ok);
}
