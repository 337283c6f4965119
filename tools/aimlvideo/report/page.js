
"use strict";
// All that is shown is in the page already. This finds, sorts and plays; without it a click opens the file.
const byId = id => document.getElementById(id);
const clips = [...document.querySelectorAll(".clip")];
const words = new Map(clips.map(clip => [clip, clip.textContent.toLowerCase()]));
const sections = [...document.querySelectorAll("main > section")];
const filters = [...document.querySelectorAll("#bar button")];
const player = byId("player");
let group = "";

function show() {
  const wanted = byId("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const model = byId("model").value;
  const fits = clip => (!group || clip.dataset.group === group) && (!model || clip.dataset.model === model)
    && wanted.every(word => words.get(clip).includes(word));
  for (const clip of clips) clip.hidden = !fits(clip);
  for (const section of sections) section.hidden = !section.querySelector(".clip:not([hidden])");
  const count = clips.filter(clip => !clip.hidden).length;
  byId("shown").textContent = count === clips.length ? "" : `${count} of ${clips.length}`;
  byId("nothing").hidden = count > 0;
}

// The dearest and the slowest first, and otherwise as in the manifest.
function sort() {
  const key = byId("order").value;
  const number = clip => key === "row" ? -clip.dataset.row : Number(clip.dataset[key] || -1);
  for (const section of sections) {
    const inside = clips.filter(clip => section.contains(clip));
    inside.sort((one, other) => number(other) - number(one) || one.dataset.row - other.dataset.row);
    section.querySelector(".grid").append(...inside);
  }
}

function prepareBar() {
  for (const button of filters) {
    const count = clips.filter(clip => !button.dataset.group || clip.dataset.group === button.dataset.group).length;
    button.textContent += ` ${count}`;
    button.hidden = count === 0 || (button.dataset.group && count === clips.length);
    button.addEventListener("click", () => {
      group = button.dataset.group;
      for (const other of filters) other.setAttribute("aria-pressed", other === button);
      show();
    });
  }
  const models = [...new Set(clips.map(clip => clip.dataset.model))].sort();
  byId("model").append(...models.map(model => new Option(model, model)));
  byId("model").parentElement.hidden = models.length < 2;
  byId("words").addEventListener("input", show);
  byId("model").addEventListener("change", show);
  byId("order").addEventListener("change", sort);
  byId("bar").hidden = false;
}

function videoOf(link) {
  const video = document.createElement("video");
  video.src = link.href;
  video.loop = true;
  video.playsInline = true;
  return video;
}

// Lets go of the file as well.
function stop(video) {
  video?.pause();
  video?.removeAttribute("src");
  video?.load();
  video?.remove();
}

function preview(link) {
  if (link.dataset.kind !== "video" || link.querySelector("video") || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const video = videoOf(link);
  video.muted = true;
  video.tabIndex = -1;
  // over the poster as soon as there is something to see; what this browser can't play stays a poster
  video.addEventListener("playing", () => { if (video.src && video.videoWidth) link.append(video); }, {once: true});
  link.previewed = video;
  video.play().catch(() => {});
}

function leave(link) {
  stop(link.previewed);
  delete link.previewed;
}

const playable = () => [...document.querySelectorAll(".clip:not([hidden]) > .poster")];

function play(link) {
  const screen = byId("screen");
  const failed = () => {
    stop(screen.querySelector("video"));
    const text = document.createElement("p");
    text.textContent = `This browser can't show ${link.dataset.name}. Open the file with another program.`;
    screen.replaceChildren(text);
  };
  stop(screen.querySelector("video"));
  const shown = link.dataset.kind === "video" ? videoOf(link) : new Image();
  shown.addEventListener("error", () => { if (shown.isConnected) failed(); });
  if (link.dataset.kind === "video") {
    shown.controls = true;
    shown.addEventListener("loadedmetadata", () => { if (!shown.videoWidth) failed(); }); // its sound alone
    shown.play().catch(() => {});
  } else {
    shown.src = link.href;
    shown.alt = link.dataset.name;
  }
  screen.replaceChildren(shown);
  byId("caption").textContent = link.parentElement.querySelector(".prompt").textContent;
  byId("file").href = link.href;
  const list = playable();
  byId("before").disabled = list[0] === link;
  byId("after").disabled = list.at(-1) === link;
  player.current = link;
  if (!player.open) player.showModal();
}

function step(by) {
  const list = playable();
  const next = list[list.indexOf(player.current) + by];
  if (next) play(next);
}

for (const link of document.querySelectorAll(".poster")) {
  link.addEventListener("mouseenter", () => preview(link));
  link.addEventListener("mouseleave", () => leave(link));
  link.addEventListener("focus", () => { if (link.matches(":focus-visible")) preview(link); });
  link.addEventListener("blur", () => leave(link));
  link.addEventListener("click", event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a tab of its own
    event.preventDefault();
    leave(link);
    play(link);
  });
}
byId("before").addEventListener("click", () => step(-1));
byId("after").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => player.close());
player.addEventListener("click", event => { if (event.target === player) player.close(); }); // beside it
player.addEventListener("keydown", event => {
  if (event.key !== "PageUp" && event.key !== "PageDown") return;
  event.preventDefault();
  step(event.key === "PageUp" ? -1 : 1);
});
player.addEventListener("close", () => {
  if (player.open) return; // again, before this came
  stop(byId("screen").querySelector("video"));
  byId("screen").replaceChildren();
  player.current?.focus();
});
prepareBar();
