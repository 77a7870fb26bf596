/**
 * The renderer for a graphics card: all dots in two calls of WebGL 2, and a morph without sending anything again.
 *
 * It draws what the splat draws: the same slots in the same order, discs with the same rim.
 */
import { pixelsPerStep, type Camera } from "./camera";
import type { Dots, Look } from "./dots";
import { packed } from "./palette";
import type { Points } from "./points";

const VERTEX = `#version 300 es
in float startX, startY, goalX, goalY;
in vec4 ink;
uniform float part, radius, rim;
uniform vec2 middle, scale;
out vec4 color;
void main() {
  vec2 place = mix(vec2(startX, startY), vec2(goalX, goalY), part);
  gl_Position = vec4((place - middle) * scale, 0.0, 1.0);
  gl_PointSize = radius > 0.5 ? ceil(2.0 * (radius + rim)) + 1.0 : 1.0;
  color = ink;
}`;

// A disc of half a pixel or less is one whole pixel, as in the splat.
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 color;
uniform float radius, rim, opacity;
uniform vec3 background;
out vec4 result;
void main() {
  float size = ceil(2.0 * (radius + rim)) + 1.0;
  float far = length(gl_PointCoord - 0.5) * size;
  float disc = radius > 0.5 ? clamp(radius + 0.5 - far, 0.0, 1.0) : 1.0;
  float around = rim > 0.0 && radius > 0.5 ? (clamp(radius + rim + 0.5 - far, 0.0, 1.0) - disc) * 0.6 : 0.0;
  float inside = disc * opacity;
  result = vec4(color.rgb * inside + background * around, inside + around);
  if (result.a <= 0.0) discard;
}`;

const PLACES = ["startX", "startY", "goalX", "goalY"] as const;
const UNIFORMS = ["part", "radius", "rim", "opacity", "middle", "scale", "background"] as const;

interface Parts {
  buffers: Record<(typeof PLACES)[number] | "inks", WebGLBuffer>;
  uniforms: Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
}

export class WebglDots implements Dots {
  readonly kind = "webgl";
  readonly canvas = document.createElement("canvas");
  private readonly gl: WebGL2RenderingContext;
  private parts: Parts;
  private background: number[] = [0, 0, 0];
  private ratio = 1;
  private sent = { slots: -1, inks: -1 };

  /** `restored`: a picture is due, for the graphics card was away. Throws where there is no WebGL 2. */
  constructor(background: string, restored: () => void) {
    const gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, powerPreference: "high-performance" });
    if (!gl) throw new Error("This browser gives no WebGL 2.");
    this.gl = gl;
    this.parts = build(gl);
    this.setBackground(background);
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.parts = build(gl);
      this.forget();
      restored();
    });
  }

  setBackground(hex: string): void {
    const color = packed(hex);
    this.background = [0, 8, 16].map((shift) => ((color >>> shift) & 255) / 255);
  }

  resize(width: number, height: number, ratio: number): void {
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }

  draw(points: Points, camera: Camera, look: Look): boolean {
    const { gl, parts, ratio, canvas } = this;
    if (gl.isContextLost()) return true;
    this.send(points);
    gl.viewport(0, 0, canvas.width, canvas.height);
    const [red, green, blue] = this.background;
    gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const scale = 2 * pixelsPerStep(camera);
    gl.uniform1f(parts.uniforms.part, points.part);
    gl.uniform2f(parts.uniforms.middle, camera.x, camera.y);
    gl.uniform2f(parts.uniforms.scale, scale / camera.width, scale / camera.height);
    gl.uniform3f(parts.uniforms.background, red, green, blue);
    gl.uniform1f(parts.uniforms.rim, look.rim * ratio);
    this.stamp(look.radius * ratio, look.opacity, 0, points.strong);
    this.stamp(look.strongRadius * ratio, 1, points.strong, points.drawn);
    return true;
  }

  /** The time of a picture of so many points in the middle, waited for: what a slow driver cannot hide. */
  trial_ms(points: Points, camera: Camera, look: Look): number {
    const pixel = new Uint8Array(4);
    const wait = () => this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, pixel);
    this.draw(points, camera, look);
    wait();
    const began = performance.now();
    this.draw(points, camera, look);
    wait();
    return performance.now() - began;
  }

  /** The next draw sends all points again. */
  forget(): void {
    this.sent = { slots: -1, inks: -1 };
  }

  destroy(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.canvas.remove();
  }

  private stamp(radius: number, opacity: number, from: number, to: number): void {
    if (from === to) return;
    this.gl.uniform1f(this.parts.uniforms.radius, radius);
    this.gl.uniform1f(this.parts.uniforms.opacity, opacity);
    this.gl.drawArrays(this.gl.POINTS, from, to - from);
  }

  private send(points: Points): void {
    const { gl, parts, sent } = this;
    const fill = (buffer: WebGLBuffer, values: Float32Array | Int32Array) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values.subarray(0, points.drawn), gl.DYNAMIC_DRAW);
    };
    if (sent.slots !== points.slotsVersion) PLACES.forEach((name) => fill(parts.buffers[name], points[name]));
    if (sent.inks !== points.inksVersion) fill(parts.buffers.inks, points.inks);
    this.sent = { slots: points.slotsVersion, inks: points.inksVersion };
  }
}

function build(gl: WebGL2RenderingContext): Parts {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The map's shaders do not link: ${gl.getProgramInfoLog(program)}`);
  }
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const attribute = (name: string, size: number, type: number, normalized: boolean) => {
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, type, normalized, 0, 0);
    return buffer;
  };
  const buffers = { inks: attribute("ink", 4, gl.UNSIGNED_BYTE, true) } as Parts["buffers"];
  for (const name of PLACES) buffers[name] = attribute(name, 1, gl.FLOAT, false);
  const uniforms = {} as Parts["uniforms"];
  for (const name of UNIFORMS) uniforms[name] = gl.getUniformLocation(program, name);
  return { buffers, uniforms };
}
