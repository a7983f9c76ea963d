/** A QR code, drawn as one path. White with a quiet margin in every theme: cameras need that. */
import { useMemo } from 'react'
import { encode } from 'uqr'

export function QrCode({
  content,
  label,
  size = 200,
}: {
  readonly content: string | Uint8Array
  readonly label: string
  readonly size?: number
}) {
  const { path, width } = useMemo(() => {
    const { data, size: modules } = encode(typeof content === 'string' ? content : [...content], {
      border: 0,
      ecc: 'M',
    })
    const cells = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    return { path: cells.join(''), width: modules }
  }, [content])
  return (
    <div className="qr">
      <svg
        viewBox={`0 0 ${width} ${width}`}
        width={size}
        height={size}
        role="img"
        aria-label={label}
        shapeRendering="crispEdges"
      >
        <path d={path} fill="#000" />
      </svg>
    </div>
  )
}
