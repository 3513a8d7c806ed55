// Tells that something has changed, and shows it unless the reader is in the middle of something.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  // What a page says, without how long ago something was.
  const said = (main) => {
    const copy = main.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = "";
    return copy.innerHTML;
  };
  const main = () => document.querySelector("main");
  const touched = (field) => field.matches("select")
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  const busy = () => [...main().querySelectorAll("textarea, input, select")].some(touched)
    || main().querySelector("details[open], [role=alert]") !== null
    // Whoever moves by keyboard would have to begin again.
    || main().contains(document.activeElement);
  let shown = said(main());
  let waiting = false;
  const refresh = async () => {
    waiting = false;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) { live.hidden = false; return; }
    const then = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!then || said(then) === shown) return;
    if (busy()) { live.hidden = false; return; }
    shown = said(then);
    main().replaceWith(document.adoptNode(then));
  };
  const soon = () => {
    if (!waiting) { waiting = true; setTimeout(refresh, 300); }
  };
  // A page listens only while it is seen: a browser has six connections to a server for all its tabs, and one that listens keeps one.
  let source = null;
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource(live.dataset.source);
    // What has changed before the source was open was told to nobody.
    source.addEventListener("open", () => { if (!main().querySelector("[role=alert]")) soon(); });
    source.addEventListener("changed", soon);
  };
  const leave = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else listen(); });
  addEventListener("pageshow", listen);
  addEventListener("pagehide", leave);
  // What is sent needs a connection itself.
  addEventListener("submit", leave);
})();
