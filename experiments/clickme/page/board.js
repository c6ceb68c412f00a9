// The leaderboard beside the game.

import { ask } from "./ask.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** Fetch the leaderboard and show it; where the server does not answer, the old one stays. */
export async function refreshBoard(root) {
  const answer = await ask(new URL("api/board", root));
  if (!answer?.ok) return;
  const { rows, week, contest, you } = answer.value;
  $("week").replaceChildren(...week.map(line));
  for (const id of ["week", "week-title"]) $(id).hidden = week.length === 0;
  $("board").replaceChildren(...rows.map(line));
  $("contest").hidden = !contest;
  if (contest) $("contest").textContent = `${contest.name}, until ${new Date(contest.ends).toLocaleString()}`;
  $("own-rank").textContent = you.rank ? `You: place ${you.rank} with ${you.points} points` : "No points yet.";
  $("player-points").textContent = `${you.total} points`;
}

function line(row) {
  const item = document.createElement("li");
  const points = document.createElement("b");
  points.textContent = row.points;
  item.append(points, row.name);
  if (row.you) item.className = "you";
  return item;
}
