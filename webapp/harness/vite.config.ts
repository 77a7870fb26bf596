import { defineConfig } from "vite";

// Only for looking at the map and measuring it: `npx vite build --config harness/vite.config.ts`, then open index.html.
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "harness/build",
    target: "es2022",
    lib: { entry: "harness/harness.ts", name: "mapHarness", formats: ["iife"], fileName: () => "harness.js" },
  },
});
