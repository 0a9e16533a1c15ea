// Remarks as rows of the contract, with the sentences of the table of reasons. Pure.

import { REASONS, type Remark } from "@fairlead/model";
import { type MessageInitShape, type RemarkRowSchema } from "@fairlead/wire";

/** A remark with its code, sentence and remedy. */
export function remarkRow({ reason, detail }: Remark): MessageInitShape<typeof RemarkRowSchema> {
  const { code, title, remedy } = REASONS[reason];
  return { reason, code, title, detail, remedy };
}
