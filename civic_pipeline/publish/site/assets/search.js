// The search page: words are in the address; the index is read in pieces.
import { element } from './format.js'

const MOST = 30
const form = document.querySelector('[data-search]')
const output = form.querySelector('output'), lists = [...document.querySelectorAll('.results')], field = form.elements.q
let engine

async function show() {
  const words = field.value.trim()
  if (!words) return lists.forEach(list => list.replaceChildren())
  engine ??= import(new URL(form.dataset.search, location.href))
  const { results } = await (await engine).search(words)
  const pages = await Promise.all(results.slice(0, MOST).map(result => result.data()))
  const found = isTable => pages.filter(page => page.raw_url.startsWith('/data/') === isTable).map(page => element('li', {},
    element('a', { href: form.dataset.root + page.raw_url.replace(/^\//, '') }, page.meta.title),
    page.meta.where ? element('small', {}, page.meta.where) : null, element('p', {}, ...excerpt(page.excerpt))))
  for (const [i, list] of lists.entries()) {
    list.replaceChildren(...found(i === 1))
    list.previousElementSibling.hidden = !list.children.length
  }
  output.textContent = !results.length ? 'No page has these words. Try fewer or shorter ones.' : results.length === 1 ? '1 page' : `${results.length} pages` + (results.length > MOST ? `, the best ${MOST} are shown` : '')
}

/** Texts and marks of an excerpt, which is HTML; nothing else of it is kept. */
function excerpt(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html').body
  return [...parsed.childNodes].map(node => node.nodeName === 'MARK' ? element('mark', {}, node.textContent) : node.textContent)
}

field.value = new URLSearchParams(location.search).get('q') ?? ''
form.addEventListener('submit', event => {
  event.preventDefault()
  history.replaceState(null, '', `?q=${encodeURIComponent(field.value)}`)
  show()
})
show()
