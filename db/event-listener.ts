import pg from 'pg'

const reconnectMs = 1_000

/**
 * Tells its listeners whenever events were committed, over one connection for the whole process. A lost connection is made
 * again; listeners are called then too, since events may have come meanwhile.
 */
export function listenForEvents(url: string): {
  onEvents: (listener: () => void) => () => void
  stop: () => Promise<void>
} {
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const connect = async () => {
    const current = new pg.Client({
      connectionString: url,
      application_name: 'clouder-events',
      keepAlive: true,
    })
    client = current
    const again = () => {
      if (isStopped || client !== current) return
      client = undefined
      timer = setTimeout(() => void connect(), reconnectMs)
    }
    current.on('error', again)
    current.on('end', again)
    current.on('notification', tell)
    try {
      await current.connect()
      await current.query('listen clouder_events')
      tell()
    } catch {
      again()
    }
  }
  void connect()
  return {
    onEvents(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
