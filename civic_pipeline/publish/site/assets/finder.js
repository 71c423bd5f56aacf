// Filters of a table by the texts of its columns. The choice is in the address, so that a view can be shared.
for (const form of document.querySelectorAll('[data-finder]')) {
  const table = document.getElementById(form.dataset.finder)
  const rows = [...table.tBodies[0].rows].map(row => ({ row, texts: [...row.cells].map(cell => cell.textContent.toLowerCase()) }))
  const fields = [...form.elements].filter(field => field.name)
  const count = form.querySelector('[data-finder-count]')
  const start = new URLSearchParams(location.search)
  for (const field of fields) {
    if (!start.has(field.name)) continue
    field.value = start.get(field.name)
    field.closest('details')?.setAttribute('open', '')
  }

  function filter() {
    // A choice is one text, or any of several; what is typed is words, and all must be there.
    const asked = fields.filter(field => field.value.trim()).map(field => [Number(field.dataset.column), field.tagName === 'SELECT'
      ? (field.selectedOptions[0].dataset.any ?? field.value).toLowerCase().split('|') : field.value.trim().toLowerCase().split(/\s+/), field])
    let shown = 0
    for (const { row, texts } of rows) {
      const fits = asked.every(([column, words, field]) =>
        field.tagName === 'SELECT' ? words.some(word => texts[column].includes(word)) : words.every(word => texts[column].includes(word)))
      row.hidden = !fits
      shown += fits
    }
    count.textContent = `${shown.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')} firms${shown ? '' : '. Try fewer or shorter words, or clear the filters.'}`
  }

  function changed() {
    filter()
    const address = new URL(location)
    address.search = new URLSearchParams(fields.filter(field => field.value.trim()).map(field => [field.name, field.value]))
    history.replaceState(null, '', address)
  }

  form.addEventListener('input', changed)
  form.addEventListener('reset', () => setTimeout(changed)) // the fields are cleared after the event
  form.addEventListener('submit', event => event.preventDefault())
  form.hidden = false
  filter()
}
