/** The client's icons: strokes on a grid of 24, in the colour of the text beside them. */
export type IconName = keyof typeof PATHS

const PATHS = {
  alert:
    'M12 8.5v4.5m0 3.2v.1M10.6 4.3 2.9 17.6a1.6 1.6 0 0 0 1.4 2.4h15.4a1.6 1.6 0 0 0 1.4-2.4L13.4 4.3a1.6 1.6 0 0 0-2.8 0Z',
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15L6 16.5ZM10 20.5h4',
  block: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM6.2 6.2l11.6 11.6',
  camera:
    'M4 8.5A1.5 1.5 0 0 1 5.5 7H8l1.5-2.5h5L16 7h2.5A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5v-9ZM12 16a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2.5 12.5 7 17l9-9.5m-4 9.5 9.5-9.5',
  chevron: 'M9 6l6 6-6 6',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 3.8V12l2.8 2',
  close: 'M6.5 6.5l11 11m0-11-11 11',
  copy: 'M9 9.5A1.5 1.5 0 0 1 10.5 8h7A1.5 1.5 0 0 1 19 9.5v8a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 9 17.5v-8ZM15 8V6.5A1.5 1.5 0 0 0 13.500 5h-7A1.500 1.500 0 0 0 5 6.500v7A1.500 1.500 0 0 0 6.500 15H9',
  data: 'M5 6.500c0-1.400 3.100-2.500 7-2.500s7 1.100 7 2.500-3.100 2.500-7 2.500-7-1.100-7-2.500Zm0 0v11C5 18.900 8.100 20 12 20s7-1.100 7-2.500v-11M5 12c0 1.400 3.100 2.500 7 2.500s7-1.100 7-2.500',
  down: 'M6 9l6 6 6-6',
  emoji:
    'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM8.500 14.200c.8 1.200 2 1.900 3.500 1.900s2.700-.7 3.500-1.900M9 9.700v.1m6-.1v.1',
  info: 'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM12 11v5m0-8.200v.1',
  keyboard:
    'M3 8.500A1.500 1.500 0 0 1 4.500 7h15A1.500 1.500 0 0 1 21 8.500v7a1.500 1.500 0 0 1-1.500 1.500h-15A1.500 1.500 0 0 1 3 15.500v-7ZM6.500 10.500h.1m3.500 0h.1m3.500 0h.1m3.500 0h.1M8.500 13.700h7',
  lock: 'M6.500 11.500A1.500 1.500 0 0 1 8 10h8a1.500 1.500 0 0 1 1.500 1.500v6A1.500 1.500 0 0 1 16 19H8a1.500 1.500 0 0 1-1.500-1.500v-6ZM8.500 10V8a3.500 3.500 0 1 1 7 0v2',
  loop: 'M18.500 8.500A7.500 7.500 0 0 0 5 9.500m0-4v4h4M5.500 15.500A7.500 7.500 0 0 0 19 14.500m0 4v-4h-4',
  more: 'M5.500 12h.1M12 12h.1m6.400 0h.1',
  people:
    'M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 19.500c.4-3.300 3-5.500 6.500-5.500s6.100 2.200 6.500 5.500M18.500 8v6m-3-3h6',
  pencil: 'M4.500 19.500l.9-3.900L16 5a2.100 2.100 0 0 1 3 3L8.400 18.600l-3.900.9Z',
  person:
    'M12 11.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.5-3.900 3.500-6.500 7.500-6.500s7 2.600 7.500 6.500',
  plus: 'M12 5v14M5 12h14',
  qr: 'M4.500 4.500h5v5h-5v-5Zm10 0h5v5h-5v-5Zm-10 10h5v5h-5v-5Zm10 0h2v2h-2v-2Zm3 3h2v2h-2v-2Z',
  reply: 'M9.500 6.500 4 12l5.500 5.500M4.500 12H13a7 7 0 0 1 7 6.500',
  search: 'M10.500 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12Zm4.500 10.500 4.500 4.500',
  send: 'M12 19V5.500M6 11l6-6 6 6',
  server:
    'M4.500 6A1.500 1.500 0 0 1 6 4.500h12A1.500 1.500 0 0 1 19.500 6v4a1.500 1.500 0 0 1-1.500 1.500H6A1.500 1.500 0 0 1 4.500 10V6Zm0 8.500A1.500 1.500 0 0 1 6 13h12a1.500 1.500 0 0 1 1.500 1.500v3.500a1.500 1.500 0 0 1-1.500 1.500H6A1.500 1.500 0 0 1 4.500 18v-3.500ZM8 8h.1M8 16.200h.1',
  settings:
    'M4 7.500h9m6 0h1M4 16.500h1m6 0h9M16 10a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 19a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z',
  shield: 'M12 3.500l7 2.500v5.500c0 4.300-2.800 7.400-7 9-4.200-1.600-7-4.700-7-9V6l7-2.500Z',
  shieldCheck:
    'M12 3.500l7 2.500v5.500c0 4.300-2.800 7.400-7 9-4.200-1.600-7-4.700-7-9V6l7-2.500ZM8.700 12l2.400 2.400 4.400-4.600',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-4.500v1.500m0 14v1.500M3.500 12H5m14 0h1.500M6 6l1 1m10 10 1 1m0-12-1 1M7 17l-1 1',
  timer: 'M12 6.500a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm0 3.500v3.500M9.500 3.500h5',
  trash:
    'M5 7h14M10 7V5a1 1 0 0 1 1-1h2a1 1 0 0 1 1 1v2m-7.500 0 .8 11.600a1.500 1.500 0 0 0 1.500 1.400h6.400a1.500 1.500 0 0 0 1.500-1.400L17.500 7',
} as const

/** Beside words, or in a button that has a name: an icon by itself says nothing to a screen reader. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      data-icon={name}
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The sign of the client: two lines of verse, one below the other. */
export function Mark({ size = 40 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#3451d1" />
      <path d="M8 12.5h16M8 19.5h11" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" />
    </svg>
  )
}
