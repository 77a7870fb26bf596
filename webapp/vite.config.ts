import { defineConfig } from "vitest/config";

// One classic script and one style sheet with fixed names: a page that is opened from a file may load no modules.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/layerwise/web/static",
    emptyOutDir: true,
    license: { fileName: "licenses.txt" },
    target: "es2022",
    cssCodeSplit: false,
    lib: { entry: "src/main.tsx", name: "layerwiseExplorer", formats: ["iife"], fileName: () => "app.js", cssFileName: "app" },
  },
  define: { "process.env.NODE_ENV": '"production"' },
  test: { include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"] },
});
