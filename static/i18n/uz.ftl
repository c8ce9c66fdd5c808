# Har bir tilga bitta katalog; uni sahifalar ham, server ham oʻqiydi. Olti faylning kalitlari bir xil.
# review: pending
# A native medical reviewer is still needed: docs/languages.md.

product-name = Hyeopjin 협진
page-title = { $page } · Hyeopjin
language-en = English
language-ko = 한국어
language-ru = Русский
language-kk = Қазақша
language-uz = Oʻzbekcha
language-mn = Монгол
language-unreviewed = Bu tarjimani ona tili oʻzbekcha boʻlgan tibbiyot mutaxassisi hali tekshirmagan
