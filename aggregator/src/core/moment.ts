// A moment on both clocks. Intervals and due times use monotonicMs, which never goes back; stamps that others read use wallMs,
// which may jump.
export type Moment = { readonly wallMs: number; readonly monotonicMs: number }
