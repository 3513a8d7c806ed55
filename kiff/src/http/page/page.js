// Shows what has changed unless the reader is in the middle of something, and says where it cannot.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  // What a page says, without how long ago something was, and without the check of a chain, which is made only when it is asked for.
  const said = (main) => {
    const copy = main.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = "";
    for (const checked of copy.querySelectorAll("#proof + p")) checked.remove();
    return copy.innerHTML;
  };
  const main = () => document.querySelector("main");
  const session = (page) => page.querySelector("header [name=csrf]").value;
  const touched = (field) => field.matches("select")
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  const busy = () => [...main().querySelectorAll("textarea, input, select")].some(touched)
    || main().querySelector("details[open], [role=alert]") !== null
    // Whoever moves by keyboard would have to begin again.
    || main().contains(document.activeElement);
  const say = (words, label, to) => {
    if (!live.hidden && live.textContent === words + label) return;
    const link = document.createElement("a");
    link.href = to;
    link.textContent = label;
    live.hidden = false;
    live.replaceChildren(words, link);
  };
  const sayChanged = () => say("Something has changed. ", "Show it", "");
  const sayLost = () => say("This page is no longer kept up to date. ", "Load it again", "");
  // Whether nobody tells this page any more that something has changed.
  let isLost = false;
  const still = () => { if (isLost) sayLost(); else live.hidden = true; };
  let shown = said(main());
  const look = async () => {
    const address = new URL(location.href);
    if (address.searchParams.has("verify")) address.searchParams.delete("verify");
    const answer = await fetch(address, { credentials: "same-origin" });
    if (answer.redirected && new URL(answer.url).pathname === "/admin/sign-in") {
      return say("You are no longer signed in. ", "Sign in", answer.url);
    }
    if (answer.status === 429 || answer.status >= 500) return sayLost();
    if (!answer.ok || answer.redirected) return sayChanged();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const then = page.querySelector("main");
    if (!then) return sayLost();
    // Who is signed in, and the way out, stand in the head, which stays.
    if (session(page) !== session(document)) return sayChanged();
    if (said(then) === shown) {
      const times = then.querySelectorAll("time");
      main().querySelectorAll("time").forEach((time, place) => { time.textContent = times[place].textContent; });
      return still();
    }
    if (busy()) return sayChanged();
    shown = said(then);
    main().replaceWith(document.adoptNode(then));
    history.replaceState(history.state, "", address);
    still();
  };
  // One look at a time, so that none shows what an earlier one has seen. What changes meanwhile is looked at afterwards.
  let stage = "idle";
  const soon = () => {
    if (stage === "looking") stage = "again";
    if (stage !== "idle") return;
    stage = "waiting";
    setTimeout(refresh, 300);
  };
  const refresh = async () => {
    stage = "looking";
    try { await look(); } catch { sayLost(); }
    const isAgain = stage === "again";
    stage = "idle";
    if (isAgain) soon();
    wait();
  };
  // A page that refuses what was sent is another one than its address shows, and cannot be compared with it.
  const check = () => {
    if (!main().querySelector("[role=alert]")) soon(); else if (isLost) sayLost();
  };
  // Times pass and requests expire without a word from the server: the page is looked at each minute, and at once when one has expired.
  let tick = 0;
  const wait = () => {
    clearTimeout(tick);
    if (document.hidden) return;
    const ends = [...main().querySelectorAll("time")].filter((time) => time.textContent.startsWith("in "));
    const left = ends.map((time) => Date.parse(time.dateTime) + 1_000 - Date.now());
    tick = setTimeout(check, Math.min(60_000, ...left.filter((left) => left > 0)));
  };
  // A page listens only while it is seen: a browser has six connections to a server for all its tabs, and one that listens keeps one.
  let source = null;
  let hasBroken = false;
  let retry = 0;
  let pause = 1_000;
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource(live.dataset.source);
    // What has changed before the source was open was told to nobody.
    source.addEventListener("open", () => {
      if (isLost) live.hidden = true;
      isLost = hasBroken = false;
      pause = 1_000;
      check();
    });
    source.addEventListener("changed", soon);
    source.addEventListener("error", lose);
  };
  const lose = () => {
    const isClosed = source.readyState === EventSource.CLOSED;
    // A source that breaks off comes again by itself, and its server has it do so from time to time. After any other answer it never does.
    isLost = isClosed || hasBroken;
    hasBroken = true;
    if (isClosed) {
      source = null;
      retry = setTimeout(listen, pause);
      pause = Math.min(2 * pause, 60_000);
    }
    if (isLost) check();
  };
  const leave = () => {
    if (source) source.close();
    source = null;
    clearTimeout(retry);
    clearTimeout(tick);
  };
  const come = () => { listen(); wait(); };
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else come(); });
  addEventListener("pageshow", come);
  addEventListener("pagehide", leave);
  // What is sent needs a connection itself.
  addEventListener("submit", leave);
})();
