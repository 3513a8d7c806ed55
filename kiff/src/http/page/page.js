// Tells that something has changed, and shows it unless the reader is in the middle of a form.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const busy = () => [...document.querySelectorAll("main textarea, main input[type=text]")].some((field) => field.value !== field.defaultValue)
    || document.querySelector("main details[open]") !== null;
  let waiting = false;
  const refresh = async () => {
    waiting = false;
    if (busy()) { live.hidden = false; return; }
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) { live.hidden = false; return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [now, then] = [document.querySelector("main"), page.querySelector("main")];
    if (then && now.innerHTML !== then.innerHTML) now.replaceWith(document.adoptNode(then));
  };
  const source = new EventSource(live.dataset.source);
  source.addEventListener("changed", () => {
    if (!waiting) { waiting = true; setTimeout(refresh, 300); }
  });
  addEventListener("pagehide", () => source.close());
})();
