// Forms that are sent without a new page.

import { gettext } from "./translation.js";

/** What the gallery answers to facts that go with a form's token; `problem` says why it did not do it. */
export async function post(form, address, facts) {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body: new URLSearchParams(facts),
    });
    const answer = await response.json();
    return response.ok ? answer : { problem: answer.detail };
  } catch {
    return { problem: gettext("The gallery does not answer. Please try again.") };
  }
}
