// Zoom and pan of the picture on the stage.

import { clamp } from "./geometry.js";

const STEP = 1.5;
const DOUBLE = 2.5;
// At least so close, and until a pixel of the photo is so many of the screen.
const CLOSE = 4;
const COARSE = 3;
const PAN_STEP = 80;

export class Zoom {
  #canvas;
  #picture;
  #scale = 1;
  #x = 0;
  #y = 0;

  /** Of the picture in a canvas; `changed` is called after each change. */
  constructor(canvas, changed) {
    this.#canvas = canvas;
    this.#picture = canvas.querySelector("#picture");
    this.changed = changed;
    new ResizeObserver(() => this.to(this.#scale)).observe(canvas);
  }

  get scale() {
    return this.#scale;
  }

  get isZoomed() {
    return this.#scale > 1.001;
  }

  step(direction) {
    this.to(this.#scale * STEP ** direction);
  }

  /** Close up at a point of the window, or the whole picture again. */
  toggle(point) {
    this.to(this.isZoomed ? 1 : DOUBLE, point);
  }

  /** To a scale, 1 being the whole picture; what is at a point of the window stays there. */
  to(scale, point = null) {
    const next = clamp(scale, 1, this.#most());
    const [x, y] = point ? this.#fromMiddle(point) : [0, 0];
    const ratio = next / this.#scale;
    this.#place(next, x - (x - this.#x) * ratio, y - (y - this.#y) * ratio);
  }

  pan(dx, dy) {
    this.#place(this.#scale, this.#x + dx, this.#y + dy);
  }

  /** Looks a step further to the left (-1) or right (1), up (-1) or down (1). */
  panStep(across, down) {
    this.pan(-across * PAN_STEP, -down * PAN_STEP);
  }

  /** The picture follows a finger that turns to another photo. */
  lean(dx) {
    this.#paint(this.#x + dx);
  }

  #fromMiddle({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  }

  /** The picture's sides as a whole. */
  #sides() {
    const { offsetWidth, offsetHeight } = this.#picture;
    return [offsetWidth / this.#scale, offsetHeight / this.#scale];
  }

  #most() {
    const pixels = Number(this.#picture.querySelector("img").getAttribute("width"));
    return Math.max(CLOSE, (COARSE * pixels) / (this.#sides()[0] || pixels));
  }

  #place(scale, x, y) {
    const [width, height] = this.#sides();
    const slack = (side, room) => Math.max(0, (side * scale - room) / 2);
    const [across, down] = [slack(width, this.#canvas.clientWidth), slack(height, this.#canvas.clientHeight)];
    this.#scale = scale;
    this.#x = clamp(x, -across, across);
    this.#y = clamp(y, -down, down);
    this.#paint();
    this.changed(this);
  }

  #paint(x = this.#x) {
    const { style } = this.#picture;
    style.setProperty("--zoom", this.#scale);
    style.setProperty("--pan-x", `${x}px`);
    style.setProperty("--pan-y", `${this.#y}px`);
    this.#canvas.classList.toggle("is-zoomed", this.isZoomed);
  }
}
