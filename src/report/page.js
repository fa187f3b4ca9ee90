"use strict";

// What went wrong is left where a test can find it.
const state = document.documentElement.dataset;
addEventListener("error", (event) => { state.error = event.message; });

for (const clip of document.querySelectorAll(".clip")) {
  const timeline = clip.querySelector(".timeline");
  const track = clip.querySelector(".track");
  const differences = [...clip.querySelectorAll(".pair:not(.hit)")];
  let at = -1;

  // Widens the time axis; what stood under `x` (in pixels of the view) stays there.
  const zoom = (factor, x) => {
    const old = track.clientWidth;
    const now = factor === "fit" ? 1 : Number(getComputedStyle(clip).getPropertyValue("--zoom")) * factor;
    clip.style.setProperty("--zoom", Math.min(Math.max(now, 1), 400));
    timeline.scrollLeft = (timeline.scrollLeft + x) * track.clientWidth / old - x;
  };

  // Shows a row of the alignment on the time axis and in the text.
  const choose = (row) => {
    for (const chosen of clip.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
    const marked = clip.querySelectorAll(`[data-row="${row}"]`);
    for (const word of marked) word.classList.add("chosen");
    const word = clip.querySelector(`.word[data-row="${row}"]`);
    if (word) timeline.scrollTo({ left: word.offsetLeft - timeline.clientWidth / 2, behavior: "smooth" });
  };

  for (const button of clip.querySelectorAll("[data-zoom]")) {
    const factor = button.dataset.zoom;
    button.addEventListener("click", () => zoom(factor === "fit" ? factor : Number(factor), timeline.clientWidth / 2));
  }
  for (const button of clip.querySelectorAll("[data-step]")) {
    button.disabled = differences.length === 0;
    button.addEventListener("click", () => {
      at = (at + Number(button.dataset.step) + differences.length) % differences.length;
      choose(differences[at].dataset.row);
    });
  }
  clip.addEventListener("click", (event) => {
    const word = event.target.closest("[data-row]");
    if (!word) return;
    choose(word.dataset.row);
    at = differences.findIndex((pair) => pair.dataset.row === word.dataset.row);
  });
  timeline.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX - timeline.getBoundingClientRect().left);
  }, { passive: false });
}

state.differences = document.querySelectorAll(".pair:not(.hit)").length;
state.ready = "true";
