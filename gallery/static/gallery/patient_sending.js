// Sends a file with as many tries as it takes: a lost connection is waited for, a refusal is not.

import { gettext } from "./translation.js";
import { sendFile } from "./tus.js";

// Of tries that fail for another reason than the connection, without a byte more having gone out.
const TRIES = 6;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20_000;

/**
 * Resolves with what became of the file, as sendFile() does, whose options it takes.
 *
 * `onTry` is called before each try, `onPause` after one that failed, with the reason and whether it
 * is the connection. Rejects with the last failure, or an AbortError.
 */
export async function sendPatiently(file, { name, address, signal, onTry, onPause, onBegun, onProgress, ...options }) {
  let failures = 0;
  let furthest = 0;
  for (;;) {
    onTry();
    try {
      return await sendFile(named(file, name), {
        ...options,
        address,
        signal,
        onBegun: (begun) => {
          address = begun;
          return onBegun(begun);
        },
        onProgress: (sent) => {
          if (sent > furthest) failures = 0;
          furthest = Math.max(sent, furthest);
          onProgress(sent);
        },
      });
    } catch (error) {
      failures += 1;
      const connection = error.status === 0;
      if (!error.passing || (!connection && failures >= TRIES)) throw error;
      // A file that was changed or moved away looks like a lost connection.
      if (connection && !(await isReadable(file))) throw noLongerKept();
      onPause(error.message, connection);
      const pause = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
      // Not all at once, where many wait for the same gallery.
      await rest(pause * (0.75 + Math.random() / 2), signal);
    }
  }
}

/** A failure after which another try is no use. */
export function noLongerKept() {
  const sentence = gettext("This file can no longer be read. Please choose it again.");
  return Object.assign(new Error(sentence), { gone: true });
}

// What comes out of the browser's storage may be a Blob without a name.
const named = (file, name) => (file.name === name ? file : new File([file], name));

// Twice, because a page that is being left can read none of its files.
async function isReadable(file) {
  for (const again of [true, false]) {
    try {
      await file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      if (again) await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  return false;
}

/** Resolves after a pause, or at once when the connection comes back. Rejects when aborted. */
function rest(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const done = (settle) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", awake);
      signal.removeEventListener("abort", aborted);
      settle(new DOMException("", "AbortError"));
    };
    const awake = done(resolve);
    const aborted = done(reject);
    const timer = setTimeout(awake, milliseconds);
    window.addEventListener("online", awake);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
  });
}
