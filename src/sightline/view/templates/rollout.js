// What can be done with a rollout on any page: choose a mark, a frame, one of two systems; read what a place earned;
// switch light and dark.
(() => {
  const root = document.documentElement;
  const each = (inside, what, act) => inside.querySelectorAll(what).forEach(act);

  const frame = (media, number) => {
    each(media, "[data-frame]", (one) => { one.hidden = one.dataset.frame !== number; });
    each(media, "[data-thumb]", (one) => one.setAttribute("aria-pressed", String(one.dataset.thumb === number)));
    each(media, "[data-slider]", (one) => { one.value = number; });
  };

  const mark = (spot) => {
    const card = spot.closest("[data-card]");
    const chosen = !spot.classList.contains("on");
    each(card, "[data-mark].on", (one) => one.classList.remove("on"));
    if (!chosen) return;
    const same = spot.dataset.mark.split(" ").map((number) => `[data-mark~="${number}"]`).join(", ");
    each(card, same, (one) => {
      one.classList.add("on");
      const hidden = one.closest("[data-frame][hidden]");
      if (hidden) frame(hidden.closest("[data-strip]"), hidden.dataset.frame);
      const list = one.closest(".marks");
      if (list) list.scrollTop = one.offsetTop - list.offsetTop - 40;
    });
  };

  const side = (button) => {
    button.closest("[data-show]").dataset.show = button.dataset.side;
    each(button.parentNode, "[data-side]", (one) => one.setAttribute("aria-pressed", String(one === button)));
  };

  document.addEventListener("click", (event) => {
    const spot = event.target.closest("[data-mark], [data-thumb], [data-side], [data-zoom], #theme");
    if (!spot) return;
    if (spot.id === "theme") {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    } else if ("mark" in spot.dataset) mark(spot);
    else if ("zoom" in spot.dataset) spot.closest("[data-card]").classList.toggle("zoomed");
    else if ("thumb" in spot.dataset) frame(spot.closest("[data-strip]"), spot.dataset.thumb);
    else side(spot);
  });
  // what a place earned, where the pointer is
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.addEventListener("pointermove", (event) => {
    const text = event.target.closest?.("[data-tip]")?.dataset.tip.trim();
    tip.hidden = !text;
    if (!text) return;
    if (tip.textContent !== text) tip.textContent = text;
    const host = document.querySelector(".gradio-container") ?? document.body;
    if (tip.parentNode !== host) host.append(tip);
    const { clientX: x, clientY: y } = event;
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18}px`;
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-slider]")) frame(event.target.closest("[data-strip]"), event.target.value);
  });
})();
