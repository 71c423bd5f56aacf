// Search over the vendors of a city. The index is loaded when the field is first used.
import { short } from './format.js'

let loading
/** The index, with a lower-case copy of each name and the first row of each vendor in the Parquet file. */
export function vendors(address) {
  loading ??= fetch(address).then(answer => {
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
    return answer.json()
  }).then(index => {
    let row = 0
    index.lower = index.names.map(name => name.toLowerCase())
    index.first = index.payments.map(count => (row += count) - count)
    return index
  })
  return loading
}

/** Positions of at most `most` vendors whose name holds every word, those paid most first. */
export function search(index, text, most = 12) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const hits = []
  for (let i = 0; i < index.lower.length; i++) if (words.every(word => index.lower[i].includes(word))) hits.push(i)
  return hits.sort((a, b) => index.dollars[b] - index.dollars[a]).slice(0, most)
}

const field = document.querySelector('[data-vendor-search]')
if (field) {
  const address = field.dataset.vendorSearch
  let index
  accessibleAutocomplete({
    element: field,
    id: 'vendor-search',
    name: 'vendor',
    minLength: 2,
    showNoOptionsFound: true,
    confirmOnBlur: false,
    templates: {
      inputValue: i => i === undefined ? '' : index.names[i],
      suggestion: i => `${escaped(index.names[i])} <small>${short(index.dollars[i])}, ${index.payments[i].toLocaleString('en-US')} payment lines</small>`,
    },
    source: async (text, populate) => {
      index = await vendors(address)
      populate(search(index, text))
    },
    onConfirm: i => { if (i !== undefined) location.href = `${field.dataset.page}?vendor=${encodeURIComponent(index.names[i])}` },
  })
  field.querySelector('input').addEventListener('focus', () => vendors(address), { once: true })
}

/** The suggestions of the library are HTML; a name is text. */
function escaped(name) {
  const node = document.createElement('span')
  node.textContent = name
  return node.innerHTML
}
