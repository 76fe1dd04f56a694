// What every page with scripts does: folds questions back, sends the CSRF token with htmx, guards against double presses.

const token = document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:configRequest", (event) => {
  if (token) event.detail.headers["X-CSRFToken"] = token;
});

document.addEventListener("click", (event) => {
  const back = event.target.closest("[data-close]");
  if (!back) return;
  const question = back.closest("details");
  question.open = false;
  question.querySelector("summary").focus();
});

// A question that opens takes the focus, and Escape takes it back.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.matches("details.h-confirm[open]")) event.target.querySelector("[data-close]").focus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const question = event.key === "Escape" && event.target.closest?.("details.h-confirm[open]");
  if (!question) return;
  question.open = false;
  question.querySelector("summary").focus();
});

// A page that answers a form without htmx begins where its part would: at what comes next.
document.querySelector("[data-land]")?.focus();

// Tabs that are pushed sideways on a phone begin where one is, once they are as wide as their letters.
document.fonts.ready.then(() => {
  for (const here of document.querySelectorAll(".h-tabs [aria-current]")) {
    const row = here.closest(".h-tabs");
    row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }
});

// A second press of a form that is on its way does nothing; the page that answers makes it new.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// An option that shows a further field only while it is chosen.
export function showWhile(input, part) {
  const follow = () => (part.hidden = !input.checked);
  for (const peer of document.querySelectorAll(`[name="${input.name}"]`)) peer.addEventListener("change", follow);
  follow();
}
