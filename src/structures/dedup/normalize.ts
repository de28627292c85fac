/**
 * Normal forms of text: texts that differ only in what a form takes no notice of have
 * the same one. Each is idempotent.
 *
 *    none        the text itself
 *    whitespace  runs of ASCII white space (space, \t, \n, \v, \f, \r) are one space, none at
 *                the ends
 *    lowercase   A-Z are a-z
 *    ascii       whitespace and lowercase
 *    unicode     NFKC, full case folding, runs of Unicode White_Space as above; besides, two
 *                signs that NFKC makes of others are their ASCII ones: the fraction slash
 *                (of ½) and the minus sign (of ⁻)
 *    full        all of them; that is what `unicode` does already
 *
 * Full case folding needs no table: for all code points it is the lower case of the
 * upper case of the lower case, but for two (Unicode's CaseFolding.txt, statuses C
 * and F; the fixture of the test holds it): dotless i (U+0131) stays, and Cherokee,
 * whose folding is the upper case, is lower case here, which tells the same texts
 * apart. Only the lower case of sigma depends on what surrounds it: it is one here.
 */
export type NormalForm = 'none' | 'whitespace' | 'lowercase' | 'ascii' | 'unicode' | 'full';

export function normalize(text: string, form: NormalForm): string {
  switch (form) {
    case 'none':
      return text;
    case 'whitespace':
      return collapseAscii(text);
    case 'lowercase':
      return lowerAscii(text);
    case 'ascii':
      return lowerAscii(collapseAscii(text));
    case 'unicode':
    case 'full':
      return normalizeUnicode(text);
  }
}

function collapseAscii(text: string): string {
  return text.replace(/[ \t\n\v\f\r]+/g, ' ').replace(/^ | $/g, '');
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

function normalizeUnicode(text: string): string {
  // Folding may give what is not composed.
  return foldCase(text.normalize('NFKC'))
    .normalize('NFKC')
    .replace(/\u2044/g, '/')
    .replace(/\u2212/g, '-')
    .replace(/\p{White_Space}+/gu, ' ')
    .replace(/^ | $/g, '');
}

/** Full case folding, as above. */
export function foldCase(text: string): string {
  return text.split('\u0131').map(foldDotted).join('\u0131');
}

function foldDotted(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}
