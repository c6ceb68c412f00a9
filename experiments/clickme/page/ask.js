// Questions to the server over HTTP.

/**
 * Ask, with POST when there is a body.
 * @param {URL} address
 * @param {object} [body]
 * @returns {Promise<{ok: boolean, status: number, value: any} | null>} null where no answer came
 */
export async function ask(address, body) {
  const json = { "content-type": "application/json" };
  const options = body === undefined ? {} : { method: "POST", headers: json, body: JSON.stringify(body) };
  try {
    const answer = await fetch(address, { ...options, credentials: "same-origin" });
    return { ok: answer.ok, status: answer.status, value: await answer.json() };
  } catch {
    return null;
  }
}
