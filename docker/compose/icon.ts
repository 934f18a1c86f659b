import { readIcon } from '#domain/icon.ts'
import { pathInFolder, refuse, type Place } from './reading.ts'

/** The icon of an application as a data URL: what the block says, or an image of its folder, which is read as one. */
export function iconOf(said: string, place: Place): string | undefined {
  const text = said.startsWith('data:') ? said : imageOf(said, place)
  if (text === undefined) return undefined
  const read = readIcon(text)
  if ('dataUrl' in read) return read.dataUrl
  return refuse(place, `the icon ${read.reason}`, 'give a PNG or JPEG of at most 64 KiB and 512 pixels')
}

function imageOf(path: string, place: Place): string | undefined {
  const name = pathInFolder(path)
  if (name === undefined)
    return refuse(place, `${path} leads out of the application's folder`, 'keep the file in the folder')
  const text = place.reading.folder.textOf(name)
  if (text !== undefined) return text
  return refuse(place, `the file ${name} is not in the application's folder`, 'put it there')
}
