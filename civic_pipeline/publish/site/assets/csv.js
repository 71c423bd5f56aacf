// CSV of what is on the screen.

/** The visible rows of a table, without its footer. A cell's data-value is its exact value. */
export function csvOf(table) {
  const rows = [...table.querySelectorAll('thead tr, tbody tr')].filter(row => !row.hidden)
  return rows.map(row => [...row.cells].map(cell => field(cell.dataset.value ?? text(cell))).join(',')).join('\r\n') + '\r\n'
}

/** One CSV field; text that a spreadsheet would run as a formula gets an apostrophe. */
export function field(value) {
  let written = String(value ?? '')
  if (/^[=+\-@\t\r\n＝＋－＠]/.test(written) && !/^[+-]?[\d.,]+%?$/.test(written)) written = `'${written}`
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written
}

export function save(name, content) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob(['\ufeff', content], { type: 'text/csv' }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

function text(cell) {
  const copy = cell.cloneNode(true)
  for (const extra of copy.querySelectorAll('svg, small, .hidden')) extra.remove()
  return copy.textContent.trim().replace(/\s+/g, ' ')
}
