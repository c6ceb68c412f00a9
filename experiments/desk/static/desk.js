// What the pages do beyond links and forms: uploads, and a job's progress. Everything else works without it.

const job = document.querySelector("[data-job]");
if (job?.dataset.state === "running") watch(job);
for (const zone of document.querySelectorAll("[data-upload]")) upload(zone);
for (const frame of document.querySelectorAll("pre[data-end]")) frame.scrollTop = frame.scrollHeight;

async function watch(section) {
  const log = section.querySelector("pre");
  const steps = section.querySelector("progress");
  const state = section.querySelector("[role=status]");
  let failures = 0;
  while (failures < 20) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    let now;
    try {
      now = await (await fetch(`/job/${section.dataset.job}/state`)).json();
      failures = 0;
    } catch {
      failures += 1;
      continue;
    }
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    if (log.textContent !== now.log) log.textContent = now.log;
    if (atEnd) log.scrollTop = log.scrollHeight;
    if (steps) steps.value = now.n_done;
    if (now.state !== "running") {
      location.reload();
      return;
    }
  }
  state.textContent = "The desk does not answer. It may have been closed.";
}

function upload(zone) {
  const told = zone.querySelector("[role=status]");
  const count = zone.querySelector("[data-count]");
  for (const input of zone.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => send([...input.files].map((file) => [file.webkitRelativePath || file.name, file])));
  }
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    send((await Promise.all(entries.map((entry) => below(entry, "")))).flat());
  });

  async function send(files) {
    const refused = [];
    let done = 0;
    for (const [path, file] of files) {
      const address = `/study/${zone.dataset.upload}/upload/${path.split("/").map(encodeURIComponent).join("/")}`;
      try {
        const answer = await fetch(address, { method: "PUT", body: file });
        if (!answer.ok) refused.push((await answer.json()).text);
        else done += 1;
      } catch (error) {
        refused.push(`${path}: ${error.message}`);
      }
      told.textContent = `${done} of ${files.length} files uploaded`;
    }
    if (refused.length) {
      told.textContent = `${done} of ${files.length} files uploaded; not uploaded: ${refused.slice(0, 5).join("; ")}` +
        (refused.length > 5 ? ` and ${refused.length - 5} more` : "");
      if (count) count.textContent = "";
      return;
    }
    location.reload();
  }
}

/** All files below an entry that was dropped, with their paths. */
async function below(entry, before) {
  const path = before ? `${before}/${entry.name}` : entry.name;
  if (entry.isFile) return [[path, await new Promise((resolve, reject) => entry.file(resolve, reject))]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const each of some) found.push(...(await below(each, path)));
  }
}
