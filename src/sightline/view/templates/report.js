(() => {
  const search = document.getElementById("search");
  if (!search) return;
  const buttons = [...document.querySelectorAll(".tools button")];
  const cards = [...document.querySelectorAll("article")];
  let kind = "all";
  const show = () => {
    const wanted = search.value.toLowerCase();
    for (const card of cards) {
      card.hidden = (kind !== "all" && card.dataset.kind !== kind) || !card.textContent.toLowerCase().includes(wanted);
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  };
  for (const button of buttons) button.addEventListener("click", () => { kind = button.dataset.kind; show(); });
  search.addEventListener("input", show);
})();
