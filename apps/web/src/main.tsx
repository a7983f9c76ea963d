import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '@fontsource-variable/inter/wght.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/buttons.css'
import './styles/fields.css'
import './styles/marks.css'
import './styles/overlays.css'
import './styles/panels.css'
import './styles/start.css'
import './styles/chats.css'
import './styles/chat.css'
import './styles/log.css'
import './styles/composer.css'
import './styles/person.css'
import './styles/pages.css'
import './styles/conditions.css'
import { start } from './app/session.ts'
import { App } from './app.tsx'

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
void start()
