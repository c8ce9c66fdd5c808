# What an interpreter reads out when a session opens. One message a line, in this order.
# Still to be reviewed by a native interpreter: then remove the next message.
opening-review = pending
opening-greeting = Сайн байцгаана уу. Намайг { $name } гэдэг, би хэлмэрч байна.
opening-everything = Энд ярьсан бүхнийг би бүрэн гүйцэд, нэгдүгээр биеэр орчуулна.
opening-confidential = Сонссон бүхнийхээ нууцыг чанд хадгална. Чатад бичсэнийг ч би харж байгаа.
opening-each-other = Над руу биш, бие бие рүүгээ хандаж, богино өгүүлбэрээр ярьж, хоёр гурван өгүүлбэрийн дараа түр зогсож өгнө үү.
opening-asks = Ойлгоогүй зүйл байвал би «хэлмэрч асууж байна» гэж хэлнэ.
opening-hearing = Бүгдийг тань сонсож байгаагаа мэдэхийн тулд одоо хүн бүр нэг үг хэлж өгнө үү.
