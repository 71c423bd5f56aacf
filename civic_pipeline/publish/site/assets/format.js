// How values are written and elements are made, as on the pages that are written ahead.

export function dollars(value) {
  const whole = Math.round(Math.abs(value))
  return (value < 0 && whole ? '-' : '') + '$' + whole.toLocaleString('en-US')
}

export function short(value) {
  for (const [size, unit] of [[1e9, 'billion'], [1e6, 'million']]) {
    const scaled = Math.abs(value) / size
    if (scaled >= 0.9995) return `${value < 0 ? '-' : ''}$${scaled.toLocaleString('en-US', digits(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0))} ${unit}`
  }
  return dollars(value)
}

export const change = (now, before) => before ? signed((now - before) / Math.abs(before)) : '–'

export const cents = value => (value < 0 ? '-' : '') + '$' + Math.abs(value).toLocaleString('en-US', digits(2))

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
/** Jun 30, 2026 for 2026-06-30. */
export const day = date => date ? `${MONTHS[date.slice(5, 7) - 1]} ${Number(date.slice(8, 10))}, ${date.slice(0, 4)}` : '–'

const signed = rate => (rate < 0 ? '' : '+') + (rate * 100).toLocaleString('en-US', digits(1)) + '%'
const digits = count => ({ minimumFractionDigits: count, maximumFractionDigits: count })

/** An element with attributes and children; texts are never read as HTML. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...children.filter(child => child !== null && child !== undefined))
  return node
}

/** The same for SVG. */
export function shape(name, attributes = {}, ...children) {
  const drawn = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value)
  drawn.append(...children)
  return drawn
}

/** The head of a table: a title for each column, and its class, such as number. */
export const head = (...columns) => element('thead', {}, element('tr', {}, ...columns.map(([title, kind]) => element('th', { scope: 'col', class: kind }, title))))

/** A wide table scrolls in a region that the keyboard reaches. */
export const scroll = (label, content) => element('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: '0' }, content)

export function bar(value, largest, before = null) {
  const drawn = shape('svg', { class: 'bar', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' },
    shape('rect', { class: 'track', width: 100, height: 8 }),
    shape('rect', { class: value < 0 ? 'value minus' : 'value', width: largest ? 100 * Math.abs(value) / largest : 0, height: 8 }))
  if (before !== null && largest) drawn.append(shape('rect', { class: 'before', x: Math.min(Math.max(100 * before / largest, 0), 99.4), width: 0.6, height: 8 }))
  return drawn
}

/** The answer of a page that a script makes, or why there is none. A screen reader says it. */
export function answer(words, figure = null) {
  document.querySelector('[data-answer]').replaceChildren(...figure ? [element('b', {}, figure), ' '] : [], words)
}

/** Add the row that a script shows to what a reader quotes who reports an issue. */
export function quote(row) {
  const reference = document.querySelector('.reference'), report = document.querySelector('[data-report]')
  reference.textContent = reference.textContent.replace(', release', `, ${row}, release`)
  if (report) report.href = report.href.split('?')[0] + '?subject=' + encodeURIComponent(`Data issue: ${reference.textContent}`)
}
