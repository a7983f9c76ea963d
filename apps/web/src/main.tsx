import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '@fontsource-variable/inter/wght.css'
import { webPlatform } from './platform/index.ts'

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <h1>{String(!!webPlatform)}</h1>
  </StrictMode>,
)
