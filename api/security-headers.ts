import type { Context } from 'hono'

const contentSecurityPolicy = policy({ style: "'self'" })
/** The documentation page's component writes its styles into its own shadow tree; scripts stay ours alone. */
export const documentationPolicy = policy({ style: "'self' 'unsafe-inline'" })

function policy(sources: { style: string }): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${sources.style}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

/** On every answer, errors included. What a route has set by itself stays. */
export function setSecurityHeaders(ctx: Context, request: { isSecure: boolean }): void {
  const headers: Record<string, string> = {
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    // With no-referrer browsers would send "Origin: null" with our own forms.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...(request.isSecure ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!ctx.res.headers.has(name)) ctx.res.headers.set(name, value)
  }
}
