// What is wrong, in one place. The region itself is always there, because screen readers announce what changes in a region
// they already know.
import type { Notice } from '../core/words.ts'

export function Banner({ notice }: { readonly notice: Notice | undefined }) {
  return (
    <div className="notice-place" role="status">
      {notice && (
        <div className={`notice ${notice.tone}`}>
          <strong>{notice.title}</strong> <span>{notice.text}</span>
        </div>
      )}
    </div>
  )
}
