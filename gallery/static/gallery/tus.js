// Sends a file in pieces by the tus protocol, so that it goes on where it was after anything.

import { gettext } from "./translation.js";

const PIECE = 8 * 2 ** 20;
// Without a byte gone out, or an answer come in, for so long, the connection counts as lost.
const SILENCE = 60_000;
const ANSWER = 180_000;

/** Why a file could not be sent. `passing`: another try may succeed. */
export class SendProblem extends Error {
  constructor(sentence, { status = 0, passing = false } = {}) {
    super(sentence);
    this.status = status;
    this.passing = passing;
  }
}

/**
 * Sends what the gallery has not got yet of a file; resolves with what became of it.
 *
 * `address` is where it was begun before, if it was; `onBegun` gets the address of a new beginning,
 * `onProgress` how many bytes have gone out. Rejects with a SendProblem, or an AbortError.
 */
export async function sendFile(file, { uploads, address, token, onBegun, onProgress, signal }) {
  const ask = (method, url, options = {}) => request(method, url, { token, signal, ...options });
  let offset = 0;
  if (address) {
    const known = await ask("HEAD", address);
    if ([404, 410].includes(known.status)) address = null;
    else if (known.status !== 200) throw problem(known);
    else offset = known.offset;
  }
  if (!address) {
    const begun = await ask("POST", uploads, { headers: beginning(file) });
    if (begun.content?.outcome || begun.status === 413) return outcome(begun);
    if (begun.status !== 201) throw problem(begun);
    address = begun.location;
    // Before any byte goes out: else a page that is left now would begin again, and meet its own photo.
    await onBegun(address);
  }
  for (;;) {
    const start = offset;
    onProgress(start);
    const sent = await ask("PATCH", address, {
      headers: { "Upload-Offset": start, "Content-Type": "application/offset+octet-stream" },
      // Nothing is left to send where only the answer was lost.
      body: file.slice(start, start + PIECE),
      onProgress: (bytes) => onProgress(start + bytes),
    });
    if (sent.content?.outcome) return outcome(sent);
    if (sent.status !== 200) throw problem(sent);
    offset = sent.offset;
  }
}

/** Has the gallery forget what was sent of a file; whether it does or not is no matter. */
export function forget(address, token) {
  request("DELETE", address, { token }).catch(() => {});
}

function beginning(file) {
  const bytes = new TextEncoder().encode(file.name.slice(0, 500));
  const name = btoa(String.fromCharCode(...bytes));
  return { "Upload-Length": file.size, "Upload-Metadata": `filename ${name}` };
}

function outcome({ content }) {
  return { outcome: "refused", sentence: content?.detail, ...content };
}

function problem({ status, content }) {
  const sentence = content?.detail ?? gettext("The gallery did not take this file just now.");
  const passing = [409, 423, 429].includes(status) || status >= 500;
  return new SendProblem(sentence, { status, passing });
}

// fetch() does not tell how far a request is.
function request(method, url, { headers = {}, body = null, token, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const lost = () => {
      settle();
      reject(new SendProblem(gettext("The connection was lost."), { passing: true }));
    };
    const abort = () => {
      settle();
      sending.abort();
      reject(new DOMException("", "AbortError"));
    };
    let timer = null;
    const wait = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        lost();
        sending.abort();
      }, milliseconds);
    };
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    if (signal?.aborted) {
      abort();
      return;
    }
    sending.open(method, url);
    const all = { "Tus-Resumable": "1.0.0", Accept: "application/json", ...headers };
    if (token) all["X-CSRFToken"] = token;
    for (const [name, value] of Object.entries(all)) sending.setRequestHeader(name, value);
    sending.upload.addEventListener("progress", (event) => {
      wait(SILENCE);
      onProgress?.(event.loaded);
    });
    sending.upload.addEventListener("load", () => wait(ANSWER));
    sending.addEventListener("error", lost);
    sending.addEventListener("load", () => {
      settle();
      resolve({
        status: sending.status,
        offset: Number(sending.getResponseHeader("Upload-Offset")),
        location: sending.getResponseHeader("Location"),
        content: parsed(sending.responseText),
      });
    });
    signal?.addEventListener("abort", abort);
    wait(body ? SILENCE : ANSWER);
    sending.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
