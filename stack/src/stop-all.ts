// For the end of a test file: stops what was started, in the order given, each also when another could not be stopped; and passes
// over what never was, because its start failed. Else the error of the start would stand beside one about nothing.
type Stoppable = { stop(): unknown } | { close(): unknown } | { remove(): unknown }

export async function stopAll(...parts: readonly (Stoppable | undefined)[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts)
    try {
      if (part !== undefined) await stopOne(part)
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 1) throw new AggregateError(failures, 'more than one part could not be stopped')
  if (failures.length === 1) throw failures[0]
}

function stopOne(part: Stoppable): unknown {
  if ('stop' in part) return part.stop()
  return 'close' in part ? part.close() : part.remove()
}
