// Values as YAML, for files that are printed from code.
import { stringify } from 'yaml'

/** Long lines stay whole: a sentence that is folded cannot be found by searching. Aliases would be legal, and read by nobody. */
export const yamlText = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
