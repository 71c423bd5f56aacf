// Look up one of many names and read its rows. The index of names is loaded when the field is first used; rows are read by byte ranges.
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from './hyparquet.js'

let loading
/** The index: names in any order of the file, and the number of rows of each group in the order of the file. */
export function load(address) {
  loading ??= fetch(address).then(answer => {
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
    return answer.json()
  }).then(index => {
    let row = 0
    index.first = index.rows.map(count => (row += count) - count)
    index.lower = index.names.map(name => name.toLowerCase())
    index.order = [...index.names.keys()]
    if (index.weights) index.order.sort((a, b) => index.weights[b] - index.weights[a])
    return index
  })
  return loading
}

/** Positions of at most `most` names that hold every word, in the order of their weights: the scan stops when they are found. */
export function search(index, text, most = 12) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const hits = []
  for (const i of index.order) {
    if (words.every(word => index.lower[i].includes(word)) && hits.push(i) === most) break
  }
  return hits
}

/** The rows of group `at` of the file. A host that mixes releases must not show the rows of another one. */
export async function rowsOf(index, at, root, belongs) {
  const file = await asyncBufferFromUrl({ url: root + index.file, byteLength: index.bytes })
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: index.footer })
  const rowStart = index.first[at], count = index.rows[at]
  const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd: rowStart + count })
  if (rows.length !== count || !rows.every(belongs)) throw new Error('the file has rows of another name or release')
  return rows
}

/** Make the field of the page a combobox. `page` is where a chosen name leads, `about` says more of it below. */
export function combobox({ page, about = () => '' }) {
  const field = document.querySelector('[data-lookup]')
  if (!field) return
  const address = field.dataset.lookup
  let index
  accessibleAutocomplete({
    element: field,
    id: 'lookup',
    name: 'name',
    minLength: 2,
    showNoOptionsFound: true,
    confirmOnBlur: false,
    templates: {
      inputValue: i => i === undefined ? '' : index.names[i],
      suggestion: i => `${escaped(index.names[i])} <small>${escaped(about(index, i))}</small>`,
    },
    source: async (text, populate) => {
      index = await load(address)
      populate(search(index, text))
    },
    onConfirm: i => { if (i !== undefined) location.href = `${field.dataset.page}?${page(index, i)}` },
  })
  field.querySelector('input').addEventListener('focus', () => load(address), { once: true })
}

/** The suggestions of the library are HTML; a name is text. */
function escaped(name) {
  const node = document.createElement('span')
  node.textContent = name
  return node.innerHTML
}
