# What an interpreter reads out when a session opens. One message a line, in this order.
opening-greeting = 안녕하십니까. 저는 통역사 { $name }입니다.
opening-everything = 여기서 하시는 모든 말씀을 빠짐없이 일인칭으로 옮기겠습니다.
opening-confidential = 들은 내용은 비밀로 지키겠습니다. 채팅도 저에게 보입니다.
opening-each-other = 저에게가 아니라 서로에게, 짧은 문장으로 말씀해 주시고, 두세 문장마다 잠시 멈춰 주십시오.
opening-asks = 이해하지 못한 것이 있으면 “통역사가 여쭙니다”라고 말씀드리겠습니다.
opening-hearing = 모두의 목소리가 들리는지 확인하도록 지금 한 말씀씩 해 주십시오.
