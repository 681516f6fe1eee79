// How the page /city is built, and served while it is worked on (`npx vite --config vite.config.ts`). The hook's build stands
// in build.ts.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  // The gateway serves the built folder below this path; both `/city` and `/city/` then find their parts.
  base: '/city/',
  plugins: [react()],
  build: {
    outDir: 'dist/page',
    emptyOutDir: true,
    // The page's policy allows no inline anything: small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
