from .blob import Blob as Blob
