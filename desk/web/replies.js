// Prepared replies, read when they are first wanted and again when they have changed.
import { get } from './base.js';
import { state } from './store.js';

let replies = null, turn;
export async function preparedReplies(fresh) {
  if (!replies || fresh || turn !== state.edits.replies) {
    turn = state.edits.replies;
    replies = get('replies').then((r) => r.replies).catch(() => { replies = null; return []; });
  }
  return replies;
}
