/**
 * Writes src/scatter/reglprograms.ts: what regl would build from text when the page opens, which the page's
 * Content-Security-Policy forbids. Needed again where regl or regl-scatterplot is another version:
 * `npm run programs -- /path/to/chromium`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

const TARGET = new URL("../src/scatter/reglprograms.ts", import.meta.url);
const HEAD = `// @ts-nocheck
/** Built by \`npm run programs\` (tools/reglprograms.mjs), not by hand: regl's programs by the hash of their text. */
`;

const before = readFileSync(TARGET, "utf8");
const folder = mkdtempSync(join(tmpdir(), "reglprograms-"));
try {
  // Those of before would stay.
  writeFileSync(TARGET, `${HEAD}export const programs = {};\n`);
  const entry = new URL("reglprograms.ts", import.meta.url).pathname;
  await build({ configFile: false, logLevel: "error", build: { outDir: folder, rollupOptions: { input: entry, output: { entryFileNames: "page.js" } } } });
  writeFileSync(join(folder, "page.html"), '<body><script type="module" src="page.js"></script>');
  const page = `file://${join(folder, "page.html")}`;
  const switches = ["--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--allow-file-access-from-files", "--virtual-time-budget=9000", "--dump-dom"];
  const [browser] = process.argv.slice(2);
  if (!browser) throw new Error("Say where Chromium is: npm run programs -- /usr/bin/chromium");
  const dom = execFileSync(browser, [...switches, page], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const text = /<body>(.*)<\/body>/s.exec(dom)[1].replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const programs = JSON.parse(text).map(([key, code]) => `"${key}": ${code.replace("anonymous", "").replaceAll("\n", "")},\n`);
  writeFileSync(TARGET, `${HEAD}export const programs = {\n${programs.join("")}};\n`);
  console.log(`${programs.length} programs`);
} catch (problem) {
  writeFileSync(TARGET, before);
  throw problem;
} finally {
  rmSync(folder, { recursive: true });
}
