/** Which series of a study a page is of. Pure; pages follow each other series by series, as the server counts them. */

/**
 * @param {readonly {modality: string, description: string, frames: number}[]} all @param {number} page from 0, of the whole study
 * @returns {{modality: string, description: string, page: number, of: number} | null}
 */
export function seriesAt(all, page) {
  let before = 0;
  for (const one of all) {
    if (page < before + one.frames) return { modality: one.modality, description: one.description, page: page - before, of: one.frames };
    before += one.frames;
  }
  return null;
}
