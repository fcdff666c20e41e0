// Why a token or a request is refused. The codes are those of spec/errors.md.

export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export function refuse(code, message) {
  throw new Refusal(code, message);
}

export const malformed = (message) => refuse('malformed', message);
