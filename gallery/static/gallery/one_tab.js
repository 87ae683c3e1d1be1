// Of several tabs, one does a work at a time.

const LEASE = 3000;

/** Runs `work` when no other tab does one of this name; resolves when it has ended. */
export function inOneTab(name, work) {
  // Only where the page came by TLS or from this machine.
  if (navigator.locks) return navigator.locks.request(name, work);
  return withLease(name, work);
}

// Two tabs may both win for a moment, and then a photo that came twice is told so.
async function withLease(name, work) {
  const tab = Math.random().toString(36);
  const taken = () => {
    const [holder, until] = (localStorage.getItem(name) ?? "").split(" ");
    return holder !== tab && Number(until) > Date.now();
  };
  const take = () => localStorage.setItem(name, `${tab} ${Date.now() + LEASE}`);
  while (taken()) await new Promise((resolve) => setTimeout(resolve, LEASE / 4));
  take();
  const renewal = setInterval(take, LEASE / 4);
  const release = () => localStorage.removeItem(name);
  window.addEventListener("pagehide", release);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    window.removeEventListener("pagehide", release);
    release();
  }
}
