// Uploads each chosen or dropped file by itself, a few at a time, and shows what became of it.

import { acceptDroppedFiles } from "./file_drop.js";
import { followIngestion } from "./ingest_state.js";

const AT_A_TIME = 3;

const form = document.querySelector("[data-upload]");
const input = form.elements.photos;
const answers = document.querySelector("[data-upload-answers]");
const list = answers.querySelector("ol");
const sum = answers.querySelector("[role=status]");
const progress = answers.querySelector("progress");
const template = document.querySelector("#upload-answer");

const queue = [];
const counts = { stored: 0, duplicate: 0, refused: 0, lost: 0 };
let total = 0;
let sending = 0;

const warnBeforeLeaving = (event) => event.preventDefault();

function add(files) {
  for (const file of files) {
    const row = template.content.cloneNode(true).querySelector("li");
    row.querySelector(".answer-name").textContent = file.name;
    list.append(row);
    queue.push({ file, row });
    total += 1;
  }
  answers.hidden = false;
  window.addEventListener("beforeunload", warnBeforeLeaving);
  showSum();
  while (sending < AT_A_TIME && queue.length) sendNext();
}

async function sendNext() {
  const { file, row } = queue.shift();
  sending += 1;
  show(row, { outcome: "sending", sentence: "On its way…" });
  const answer = await send(file);
  show(row, answer);
  counts[answer.outcome] += 1;
  sending -= 1;
  showSum();
  // What needs a person comes first.
  if (answer.outcome === "refused" || answer.outcome === "lost") list.prepend(row);
  if (answer.outcome === "stored") followIngestion();
  if (queue.length) sendNext();
  else if (!sending) window.removeEventListener("beforeunload", warnBeforeLeaving);
}

async function send(file) {
  const body = new FormData();
  body.append("photos", file);
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body,
    });
    const answer = await response.json();
    // Where the session has ended, or may no longer upload, the whole request is refused.
    return answer.results?.[0] ?? { outcome: "lost", sentence: answer.detail, signIn: response.status === 401 };
  } catch {
    return { outcome: "lost", sentence: "It did not reach the gallery. Please choose it again." };
  }
}

function show(row, { outcome, sentence, url, signIn }) {
  row.dataset.outcome = outcome;
  const words = row.querySelector(".answer-sentence");
  words.textContent = sentence;
  if (signIn) words.append(" ", linkTo(form.dataset.signIn, "Sign in"));
  if (!url) return;
  const name = row.querySelector(".answer-name");
  name.replaceChildren(linkTo(url, name.textContent));
}

function linkTo(url, text) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = text;
  return link;
}

function showSum() {
  const answered = Object.values(counts).reduce((one, other) => one + other, 0);
  const words = [`${answered} of ${total} ${total === 1 ? "file" : "files"}`];
  if (counts.stored) words.push(`${counts.stored} stored`);
  if (counts.duplicate) words.push(`${counts.duplicate} already there`);
  if (counts.refused) words.push(`${counts.refused} refused`);
  if (counts.lost) words.push(`${counts.lost} did not arrive`);
  sum.textContent = words.join(", ");
  progress.max = total;
  progress.value = answered;
  progress.hidden = answered === total;
}

input.addEventListener("change", () => {
  add([...input.files]);
  input.value = "";
});

form.addEventListener("submit", (event) => event.preventDefault());

acceptDroppedFiles(form, add);

