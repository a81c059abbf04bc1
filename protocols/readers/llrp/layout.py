"""LLRP 1.0.1 and 1.1: the name, number and layout of every message and parameter, as text tables.

Facts only, no code; `messages.py` reads them once. Names, numbers and layouts as in the LLRP toolkit definition
(Apache-2.0), plus what EPCglobal LLRP 1.1 has and that definition leaves out: the Gen2 1.2 results in tag reports,
EnableXPCBits, and ClientRequestOpSpecResult (a TV parameter has no length: an unlisted one would cost its message).

A row is `number name fields / parameters`; an indented line continues the row above. A field is `name:type` or
`name:type=enumeration`; `-:n` is n reserved bits. Types: u1 u2 u8 u16 u32 u64 s8 s16 are numbers, flag is one bit as a
boolean, hex12 twelve bytes, text a counted UTF-8 string, bits a counted bit string, u8v u16v u32v counted numbers,
u8hex u16hex counted bytes or words as hex, rest the bytes to the end. A parameter with `?` may be absent, with `*` may
repeat or be absent, with `+` stands at least once; a name in CHOICES stands for any one of its parameters.
"""

MESSAGES = """
1023 CUSTOM_MESSAGE VendorIdentifier:u32 MessageSubtype:u8 Data:rest
46 GET_SUPPORTED_VERSION
56 GET_SUPPORTED_VERSION_RESPONSE CurrentVersion:u8 SupportedVersion:u8 / LLRPStatus
47 SET_PROTOCOL_VERSION ProtocolVersion:u8
57 SET_PROTOCOL_VERSION_RESPONSE / LLRPStatus
1 GET_READER_CAPABILITIES RequestedData:u8=GetReaderCapabilitiesRequestedData / Custom*
11 GET_READER_CAPABILITIES_RESPONSE / LLRPStatus GeneralDeviceCapabilities? LLRPCapabilities? RegulatoryCapabilities?
    AirProtocolLLRPCapabilities? Custom*
20 ADD_ROSPEC / ROSpec
30 ADD_ROSPEC_RESPONSE / LLRPStatus
21 DELETE_ROSPEC ROSpecID:u32
31 DELETE_ROSPEC_RESPONSE / LLRPStatus
22 START_ROSPEC ROSpecID:u32
32 START_ROSPEC_RESPONSE / LLRPStatus
23 STOP_ROSPEC ROSpecID:u32
33 STOP_ROSPEC_RESPONSE / LLRPStatus
24 ENABLE_ROSPEC ROSpecID:u32
34 ENABLE_ROSPEC_RESPONSE / LLRPStatus
25 DISABLE_ROSPEC ROSpecID:u32
35 DISABLE_ROSPEC_RESPONSE / LLRPStatus
26 GET_ROSPECS
36 GET_ROSPECS_RESPONSE / LLRPStatus ROSpec*
40 ADD_ACCESSSPEC / AccessSpec
50 ADD_ACCESSSPEC_RESPONSE / LLRPStatus
41 DELETE_ACCESSSPEC AccessSpecID:u32
51 DELETE_ACCESSSPEC_RESPONSE / LLRPStatus
42 ENABLE_ACCESSSPEC AccessSpecID:u32
52 ENABLE_ACCESSSPEC_RESPONSE / LLRPStatus
43 DISABLE_ACCESSSPEC AccessSpecID:u32
53 DISABLE_ACCESSSPEC_RESPONSE / LLRPStatus
44 GET_ACCESSSPECS
54 GET_ACCESSSPECS_RESPONSE / LLRPStatus AccessSpec*
2 GET_READER_CONFIG AntennaID:u16 RequestedData:u8=GetReaderConfigRequestedData GPIPortNum:u16 GPOPortNum:u16 /
    Custom*
12 GET_READER_CONFIG_RESPONSE / LLRPStatus Identification? AntennaProperties* AntennaConfiguration*
    ReaderEventNotificationSpec? ROReportSpec? AccessReportSpec? LLRPConfigurationStateValue? KeepaliveSpec?
    GPIPortCurrentState* GPOWriteData* EventsAndReports? Custom*
3 SET_READER_CONFIG ResetToFactoryDefault:flag -:7 / ReaderEventNotificationSpec? AntennaProperties*
    AntennaConfiguration* ROReportSpec? AccessReportSpec? KeepaliveSpec? GPOWriteData* GPIPortCurrentState*
    EventsAndReports? Custom*
13 SET_READER_CONFIG_RESPONSE / LLRPStatus
14 CLOSE_CONNECTION
4 CLOSE_CONNECTION_RESPONSE / LLRPStatus
60 GET_REPORT
61 RO_ACCESS_REPORT / TagReportData* RFSurveyReportData* Custom*
62 KEEPALIVE
72 KEEPALIVE_ACK
63 READER_EVENT_NOTIFICATION / ReaderEventNotificationData
64 ENABLE_EVENTS_AND_REPORTS
100 ERROR_MESSAGE / LLRPStatus
"""

TLV = """
128 UTCTimestamp Microseconds:u64
129 Uptime Microseconds:u64
1023 Custom VendorIdentifier:u32 ParameterSubtype:u32 Data:rest
137 GeneralDeviceCapabilities MaxNumberOfAntennaSupported:u16 CanSetAntennaProperties:flag HasUTCClockCapability:flag
    -:14 DeviceManufacturerName:u32 ModelName:u32 ReaderFirmwareVersion:text / ReceiveSensitivityTableEntry+
    PerAntennaReceiveSensitivityRange* GPIOCapabilities PerAntennaAirProtocol+
139 ReceiveSensitivityTableEntry Index:u16 ReceiveSensitivityValue:s16
149 PerAntennaReceiveSensitivityRange AntennaID:u16 ReceiveSensitivityIndexMin:u16 ReceiveSensitivityIndexMax:u16
140 PerAntennaAirProtocol AntennaID:u16 ProtocolID:u8v=AirProtocols
141 GPIOCapabilities NumGPIs:u16 NumGPOs:u16
142 LLRPCapabilities CanDoRFSurvey:flag CanReportBufferFillWarning:flag SupportsClientRequestOpSpec:flag
    CanDoTagInventoryStateAwareSingulation:flag SupportsEventAndReportHolding:flag -:3
    MaxNumPriorityLevelsSupported:u8 ClientRequestOpSpecTimeout:u16 MaxNumROSpecs:u32 MaxNumSpecsPerROSpec:u32
    MaxNumInventoryParameterSpecsPerAISpec:u32 MaxNumAccessSpecs:u32 MaxNumOpSpecsPerAccessSpec:u32
143 RegulatoryCapabilities CountryCode:u16 CommunicationsStandard:u16=CommunicationsStandard / UHFBandCapabilities?
    Custom*
144 UHFBandCapabilities / TransmitPowerLevelTableEntry+ FrequencyInformation AirProtocolUHFRFModeTable+
145 TransmitPowerLevelTableEntry Index:u16 TransmitPowerValue:s16
146 FrequencyInformation Hopping:flag -:7 / FrequencyHopTable* FixedFrequencyTable?
147 FrequencyHopTable HopTableID:u8 -:8 Frequency:u32v
148 FixedFrequencyTable Frequency:u32v
177 ROSpec ROSpecID:u32 Priority:u8 CurrentState:u8=ROSpecState / ROBoundarySpec SpecParameter+ ROReportSpec?
178 ROBoundarySpec / ROSpecStartTrigger ROSpecStopTrigger
179 ROSpecStartTrigger ROSpecStartTriggerType:u8=ROSpecStartTriggerType / PeriodicTriggerValue? GPITriggerValue?
180 PeriodicTriggerValue Offset:u32 Period:u32 / UTCTimestamp?
181 GPITriggerValue GPIPortNum:u16 GPIEvent:flag -:7 Timeout:u32
182 ROSpecStopTrigger ROSpecStopTriggerType:u8=ROSpecStopTriggerType DurationTriggerValue:u32 / GPITriggerValue?
183 AISpec AntennaIDs:u16v / AISpecStopTrigger InventoryParameterSpec+ Custom*
184 AISpecStopTrigger AISpecStopTriggerType:u8=AISpecStopTriggerType DurationTrigger:u32 / GPITriggerValue?
    TagObservationTrigger?
185 TagObservationTrigger TriggerType:u8=TagObservationTriggerType -:8 NumberOfTags:u16 NumberOfAttempts:u16 T:u16
    Timeout:u32
186 InventoryParameterSpec InventoryParameterSpecID:u16 ProtocolID:u8=AirProtocols / AntennaConfiguration* Custom*
187 RFSurveySpec AntennaID:u16 StartFrequency:u32 EndFrequency:u32 / RFSurveySpecStopTrigger Custom*
188 RFSurveySpecStopTrigger StopTriggerType:u8=RFSurveySpecStopTriggerType DurationPeriod:u32 N:u32
189 LoopSpec LoopCount:u16
207 AccessSpec AccessSpecID:u32 AntennaID:u16 ProtocolID:u8=AirProtocols CurrentState:u1=AccessSpecState -:7
    ROSpecID:u32 / AccessSpecStopTrigger AccessCommand AccessReportSpec? Custom*
208 AccessSpecStopTrigger AccessSpecStopTrigger:u8=AccessSpecStopTriggerType OperationCountValue:u16
209 AccessCommand / AirProtocolTagSpec AccessCommandOpSpec+ Custom*
217 LLRPConfigurationStateValue LLRPConfigurationStateValue:u32
218 Identification IDType:u8=IdentificationType ReaderID:u8hex
219 GPOWriteData GPOPortNumber:u16 GPOData:flag -:7
220 KeepaliveSpec KeepaliveTriggerType:u8=KeepaliveTriggerType PeriodicTriggerValue:u32
221 AntennaProperties AntennaConnected:flag -:7 AntennaID:u16 AntennaGain:s16
222 AntennaConfiguration AntennaID:u16 / RFReceiver? RFTransmitter? AirProtocolInventoryCommandSettings*
223 RFReceiver ReceiverSensitivity:u16
224 RFTransmitter HopTableID:u16 ChannelIndex:u16 TransmitPower:u16
225 GPIPortCurrentState GPIPortNum:u16 Config:flag -:7 State:u8=GPIPortState
226 EventsAndReports HoldEventsAndReportsUponReconnect:flag -:7
237 ROReportSpec ROReportTrigger:u8=ROReportTriggerType N:u16 / TagReportContentSelector Custom*
238 TagReportContentSelector EnableROSpecID:flag EnableSpecIndex:flag EnableInventoryParameterSpecID:flag
    EnableAntennaID:flag EnableChannelIndex:flag EnablePeakRSSI:flag EnableFirstSeenTimestamp:flag
    EnableLastSeenTimestamp:flag EnableTagSeenCount:flag EnableAccessSpecID:flag -:6 / AirProtocolEPCMemorySelector*
239 AccessReportSpec AccessReportTrigger:u8=AccessReportTriggerType
240 TagReportData / EPCParameter ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? PeakRSSI? ChannelIndex?
    FirstSeenTimestampUTC? FirstSeenTimestampUptime? LastSeenTimestampUTC? LastSeenTimestampUptime? TagSeenCount?
    AirProtocolTagData* AccessSpecID? AccessCommandOpSpecResult* Custom*
241 EPCData EPC:bits
242 RFSurveyReportData / ROSpecID? SpecIndex? FrequencyRSSILevelEntry+ Custom*
243 FrequencyRSSILevelEntry Frequency:u32 Bandwidth:u32 AverageRSSI:s8 PeakRSSI:s8 / Timestamp
244 ReaderEventNotificationSpec / EventNotificationState+
245 EventNotificationState EventType:u16=NotificationEventType NotificationState:flag -:7
246 ReaderEventNotificationData / Timestamp HoppingEvent? GPIEvent? ROSpecEvent? ReportBufferLevelWarningEvent?
    ReportBufferOverflowErrorEvent? ReaderExceptionEvent? RFSurveyEvent? AISpecEvent? AntennaEvent?
    ConnectionAttemptEvent? ConnectionCloseEvent? SpecLoopEvent? Custom*
247 HoppingEvent HopTableID:u16 NextChannelIndex:u16
248 GPIEvent GPIPortNumber:u16 GPIEvent:flag -:7
249 ROSpecEvent EventType:u8=ROSpecEventType ROSpecID:u32 PreemptingROSpecID:u32
250 ReportBufferLevelWarningEvent ReportBufferPercentageFull:u8
251 ReportBufferOverflowErrorEvent
252 ReaderExceptionEvent Message:text / ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? AccessSpecID?
    OpSpecID? Custom*
253 RFSurveyEvent EventType:u8=RFSurveyEventType ROSpecID:u32 SpecIndex:u16
254 AISpecEvent EventType:u8=AISpecEventType ROSpecID:u32 SpecIndex:u16 / AirProtocolSingulationDetails?
255 AntennaEvent EventType:u8=AntennaEventType AntennaID:u16
256 ConnectionAttemptEvent Status:u16=ConnectionAttemptStatusType
257 ConnectionCloseEvent
356 SpecLoopEvent ROSpecID:u32 LoopCount:u32
287 LLRPStatus StatusCode:u16=StatusCode ErrorDescription:text / FieldError? ParameterError?
288 FieldError FieldNum:u16 ErrorCode:u16=StatusCode
289 ParameterError ParameterType:u16 ErrorCode:u16=StatusCode / FieldError? ParameterError?
327 C1G2LLRPCapabilities CanSupportBlockErase:flag CanSupportBlockWrite:flag CanSupportBlockPermalock:flag
    CanSupportTagRecommissioning:flag CanSupportUMIMethod2:flag CanSupportXPC:flag -:2 MaxNumSelectFiltersPerQuery:u16
328 C1G2UHFRFModeTable / C1G2UHFRFModeTableEntry+
329 C1G2UHFRFModeTableEntry ModeIdentifier:u32 DRValue:u1=C1G2DRValue EPCHAGTCConformance:flag -:6
    MValue:u8=C1G2MValue ForwardLinkModulation:u8=C1G2ForwardLinkModulation
    SpectralMaskIndicator:u8=C1G2SpectralMaskIndicator BDRValue:u32 PIEValue:u32 MinTariValue:u32 MaxTariValue:u32
    StepTariValue:u32
330 C1G2InventoryCommand TagInventoryStateAware:flag -:7 / C1G2Filter* C1G2RFControl? C1G2SingulationControl? Custom*
331 C1G2Filter T:u2=C1G2TruncateAction -:6 / C1G2TagInventoryMask C1G2TagInventoryStateAwareFilterAction?
    C1G2TagInventoryStateUnawareFilterAction?
332 C1G2TagInventoryMask MB:u2 -:6 Pointer:u16 TagMask:bits
333 C1G2TagInventoryStateAwareFilterAction Target:u8=C1G2StateAwareTarget Action:u8=C1G2StateAwareAction
334 C1G2TagInventoryStateUnawareFilterAction Action:u8=C1G2StateUnawareAction
335 C1G2RFControl ModeIndex:u16 Tari:u16
336 C1G2SingulationControl Session:u2 -:6 TagPopulation:u16 TagTransitTime:u32 /
    C1G2TagInventoryStateAwareSingulationAction?
337 C1G2TagInventoryStateAwareSingulationAction I:u1=C1G2TagInventoryStateAwareI S:u1=C1G2TagInventoryStateAwareS -:6
338 C1G2TagSpec / C1G2TargetTag+
339 C1G2TargetTag MB:u2 Match:flag -:5 Pointer:u16 TagMask:bits TagData:bits
341 C1G2Read OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 WordPointer:u16 WordCount:u16
342 C1G2Write OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 WordPointer:u16 WriteData:u16hex
343 C1G2Kill OpSpecID:u16 KillPassword:u32
357 C1G2Recommission OpSpecID:u16 KillPassword:u32 -:5 BIT_3SB:flag BIT_2SB:flag BIT_LSB:flag
344 C1G2Lock OpSpecID:u16 AccessPassword:u32 / C1G2LockPayload+
345 C1G2LockPayload Privilege:u8=C1G2LockPrivilege DataField:u8=C1G2LockDataField
346 C1G2BlockErase OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 WordPointer:u16 WordCount:u16
347 C1G2BlockWrite OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 WordPointer:u16 WriteData:u16hex
358 C1G2BlockPermalock OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 BlockPointer:u16 BlockMaskWordCount:u16
    BlockMask:u16v
359 C1G2GetBlockPermalockStatus OpSpecID:u16 AccessPassword:u32 MB:u2 -:6 BlockPointer:u16 BlockRange:u16
348 C1G2EPCMemorySelector EnableCRC:flag EnablePCBits:flag EnableXPCBits:flag -:5
349 C1G2ReadOpSpecResult Result:u8=C1G2ReadResultType OpSpecID:u16 ReadData:u16hex
350 C1G2WriteOpSpecResult Result:u8=C1G2WriteResultType OpSpecID:u16 NumWordsWritten:u16
351 C1G2KillOpSpecResult Result:u8=C1G2KillResultType OpSpecID:u16
360 C1G2RecommissionOpSpecResult Result:u8=C1G2RecommissionResultType OpSpecID:u16
352 C1G2LockOpSpecResult Result:u8=C1G2LockResultType OpSpecID:u16
353 C1G2BlockEraseOpSpecResult Result:u8=C1G2BlockEraseResultType OpSpecID:u16
354 C1G2BlockWriteOpSpecResult Result:u8=C1G2BlockWriteResultType OpSpecID:u16 NumWordsWritten:u16
361 C1G2BlockPermalockOpSpecResult Result:u8=C1G2BlockPermalockResultType OpSpecID:u16
362 C1G2GetBlockPermalockStatusOpSpecResult Result:u8=C1G2GetBlockPermalockStatusResultType OpSpecID:u16
    PermalockStatus:u16v
"""
"""Parameters with a type of 10 bits and a length (LLRP 1.1 chapter 17)."""

TV = """
13 EPC_96 EPC:hex12
9 ROSpecID ROSpecID:u32
14 SpecIndex SpecIndex:u16
10 InventoryParameterSpecID InventoryParameterSpecID:u16
1 AntennaID AntennaID:u16
6 PeakRSSI PeakRSSI:s8
7 ChannelIndex ChannelIndex:u16
2 FirstSeenTimestampUTC Microseconds:u64
3 FirstSeenTimestampUptime Microseconds:u64
4 LastSeenTimestampUTC Microseconds:u64
5 LastSeenTimestampUptime Microseconds:u64
8 TagSeenCount TagCount:u16
16 AccessSpecID AccessSpecID:u32
17 OpSpecID OpSpecID:u16
12 C1G2_PC PC_Bits:u16
19 C1G2_XPCW1 XPC_W1:u16
20 C1G2_XPCW2 XPC_W2:u16
11 C1G2_CRC CRC:u16
18 C1G2SingulationDetails NumCollisionSlots:u16 NumEmptySlots:u16
15 ClientRequestOpSpecResult OpSpecID:u16
"""
"""Parameters with a type of 7 bits and no length: the layout is the length (LLRP 1.1 chapter 17)."""

CHOICES = """
SpecParameter AISpec RFSurveySpec LoopSpec Custom
AccessCommandOpSpec C1G2Read C1G2Write C1G2Kill C1G2Recommission C1G2Lock C1G2BlockErase C1G2BlockWrite
    C1G2BlockPermalock C1G2GetBlockPermalockStatus Custom
AccessCommandOpSpecResult C1G2ReadOpSpecResult C1G2WriteOpSpecResult C1G2KillOpSpecResult C1G2LockOpSpecResult
    C1G2BlockEraseOpSpecResult C1G2BlockWriteOpSpecResult C1G2RecommissionOpSpecResult C1G2BlockPermalockOpSpecResult
    C1G2GetBlockPermalockStatusOpSpecResult ClientRequestOpSpecResult Custom
EPCParameter EPCData EPC_96
Timestamp UTCTimestamp Uptime
AirProtocolLLRPCapabilities C1G2LLRPCapabilities
AirProtocolUHFRFModeTable C1G2UHFRFModeTable
AirProtocolInventoryCommandSettings C1G2InventoryCommand
AirProtocolTagSpec C1G2TagSpec
AirProtocolEPCMemorySelector C1G2EPCMemorySelector
AirProtocolTagData C1G2_PC C1G2_CRC C1G2_XPCW1 C1G2_XPCW2
AirProtocolSingulationDetails C1G2SingulationDetails
"""

ENUMERATIONS = """
AirProtocols Unspecified=0 EPCGlobalClass1Gen2=1
GetReaderCapabilitiesRequestedData All=0 General_Device_Capabilities=1 LLRP_Capabilities=2 Regulatory_Capabilities=3
    LLRP_Air_Protocol_Capabilities=4
CommunicationsStandard Unspecified=0 US_FCC_Part_15=1 ETSI_302_208=2 ETSI_300_220=3 Australia_LIPD_1W=4
    Australia_LIPD_4W=5 Japan_ARIB_STD_T89=6 Hong_Kong_OFTA_1049=7 Taiwan_DGT_LP0002=8 Korea_MIC_Article_5_2=9
ROSpecState Disabled=0 Inactive=1 Active=2
ROSpecStartTriggerType Null=0 Immediate=1 Periodic=2 GPI=3
ROSpecStopTriggerType Null=0 Duration=1 GPI_With_Timeout=2
AISpecStopTriggerType Null=0 Duration=1 GPI_With_Timeout=2 Tag_Observation=3
TagObservationTriggerType Upon_Seeing_N_Tags_Or_Timeout=0 Upon_Seeing_No_More_New_Tags_For_Tms_Or_Timeout=1
    N_Attempts_To_See_All_Tags_In_FOV_Or_Timeout=2 Upon_Seeing_N_Unique_Tags_Or_Timeout=3
    Upon_Seeing_No_More_New_Unique_Tags_For_Tms_Or_Timeout=4
RFSurveySpecStopTriggerType Null=0 Duration=1 N_Iterations_Through_Frequency_Range=2
AccessSpecState Disabled=0 Active=1
AccessSpecStopTriggerType Null=0 Operation_Count=1
GetReaderConfigRequestedData All=0 Identification=1 AntennaProperties=2 AntennaConfiguration=3 ROReportSpec=4
    ReaderEventNotificationSpec=5 AccessReportSpec=6 LLRPConfigurationStateValue=7 KeepaliveSpec=8
    GPIPortCurrentState=9 GPOWriteData=10 EventsAndReports=11
IdentificationType MAC_Address=0 EPC=1
KeepaliveTriggerType Null=0 Periodic=1
GPIPortState Low=0 High=1 Unknown=2
ROReportTriggerType None=0 Upon_N_Tags_Or_End_Of_AISpec_Or_End_Of_RFSurveySpec=1 Upon_N_Tags_Or_End_Of_ROSpec=2
    Upon_N_Seconds_Or_End_Of_AISpec_Or_End_Of_RFSurveySpec=3 Upon_N_Seconds_Or_End_Of_ROSpec=4
    Upon_N_Milliseconds_Or_End_Of_AISpec_Or_End_Of_RFSurveySpec=5 Upon_N_Milliseconds_Or_End_Of_ROSpec=6
AccessReportTriggerType Whenever_ROReport_Is_Generated=0 End_Of_AccessSpec=1
NotificationEventType Upon_Hopping_To_Next_Channel=0 GPI_Event=1 ROSpec_Event=2 Report_Buffer_Fill_Warning=3
    Reader_Exception_Event=4 RFSurvey_Event=5 AISpec_Event=6 AISpec_Event_With_Details=7 Antenna_Event=8
    SpecLoop_Event=9
ROSpecEventType Start_Of_ROSpec=0 End_Of_ROSpec=1 Preemption_Of_ROSpec=2
RFSurveyEventType Start_Of_RFSurvey=0 End_Of_RFSurvey=1
AISpecEventType End_Of_AISpec=0
AntennaEventType Antenna_Disconnected=0 Antenna_Connected=1
ConnectionAttemptStatusType Success=0 Failed_A_Reader_Initiated_Connection_Already_Exists=1
    Failed_A_Client_Initiated_Connection_Already_Exists=2 Failed_Reason_Other_Than_A_Connection_Already_Exists=3
    Another_Connection_Attempted=4
StatusCode M_Success=0 M_ParameterError=100 M_FieldError=101 M_UnexpectedParameter=102 M_MissingParameter=103
    M_DuplicateParameter=104 M_OverflowParameter=105 M_OverflowField=106 M_UnknownParameter=107 M_UnknownField=108
    M_UnsupportedMessage=109 M_UnsupportedVersion=110 M_UnsupportedParameter=111 P_ParameterError=200 P_FieldError=201
    P_UnexpectedParameter=202 P_MissingParameter=203 P_DuplicateParameter=204 P_OverflowParameter=205
    P_OverflowField=206 P_UnknownParameter=207 P_UnknownField=208 P_UnsupportedParameter=209 A_Invalid=300
    A_OutOfRange=301 R_DeviceError=401
C1G2DRValue DRV_8=0 DRV_64_3=1
C1G2MValue MV_FM0=0 MV_2=1 MV_4=2 MV_8=3
C1G2ForwardLinkModulation PR_ASK=0 SSB_ASK=1 DSB_ASK=2
C1G2SpectralMaskIndicator Unknown=0 SI=1 MI=2 DI=3
C1G2TruncateAction Unspecified=0 Do_Not_Truncate=1 Truncate=2
C1G2StateAwareTarget SL=0 Inventoried_State_For_Session_S0=1 Inventoried_State_For_Session_S1=2
    Inventoried_State_For_Session_S2=3 Inventoried_State_For_Session_S3=4
C1G2StateAwareAction AssertSLOrA_DeassertSLOrB=0 AssertSLOrA_Noop=1 Noop_DeassertSLOrB=2 NegateSLOrABBA_Noop=3
    DeassertSLOrB_AssertSLOrA=4 DeassertSLOrB_Noop=5 Noop_AssertSLOrA=6 Noop_NegateSLOrABBA=7
C1G2StateUnawareAction Select_Unselect=0 Select_DoNothing=1 DoNothing_Unselect=2 Unselect_DoNothing=3
    Unselect_Select=4 DoNothing_Select=5
C1G2TagInventoryStateAwareI State_A=0 State_B=1
C1G2TagInventoryStateAwareS SL=0 Not_SL=1
C1G2LockPrivilege Read_Write=0 Perma_Lock=1 Perma_Unlock=2 Unlock=3
C1G2LockDataField Kill_Password=0 Access_Password=1 EPC_Memory=2 TID_Memory=3 User_Memory=4
C1G2ReadResultType Success=0 Nonspecific_Tag_Error=1 No_Response_From_Tag=2 Nonspecific_Reader_Error=3
    Tag_Memory_Overrun_Error=4 Tag_Memory_Locked_Error=5 Incorrect_password_error=6
C1G2WriteResultType Success=0 Tag_Memory_Overrun_Error=1 Tag_Memory_Locked_Error=2 Insufficient_Power=3
    Nonspecific_Tag_Error=4 No_Response_From_Tag=5 Nonspecific_Reader_Error=6 Incorrect_Password_Error=7
C1G2KillResultType Success=0 Zero_Kill_Password_Error=1 Insufficient_Power=2 Nonspecific_Tag_Error=3
    No_Response_From_Tag=4 Nonspecific_Reader_Error=5 Incorrect_Password_Error=6
C1G2RecommissionResultType Success=0 Zero_Kill_Password_Error=1 Insufficient_Power=2 Nonspecific_Tag_Error=3
    No_Response_From_Tag=4 Nonspecific_Reader_Error=5 Incorrect_Password_Error=6
C1G2LockResultType Success=0 Insufficient_Power=1 Nonspecific_Tag_Error=2 No_Response_From_Tag=3
    Nonspecific_Reader_Error=4 Incorrect_Password_Error=5 Tag_Memory_Overrun_Error=6 Tag_Memory_Locked_Error=7
C1G2BlockEraseResultType Success=0 Tag_Memory_Overrun_Error=1 Tag_Memory_Locked_Error=2 Insufficient_Power=3
    Nonspecific_Tag_Error=4 No_Response_From_Tag=5 Nonspecific_Reader_Error=6 Incorrect_Password_Error=7
C1G2BlockWriteResultType Success=0 Tag_Memory_Overrun_Error=1 Tag_Memory_Locked_Error=2 Insufficient_Power=3
    Nonspecific_Tag_Error=4 No_Response_From_Tag=5 Nonspecific_Reader_Error=6 Incorrect_Password_Error=7
C1G2BlockPermalockResultType Success=0 Insufficient_Power=1 Nonspecific_Tag_Error=2 No_Response_From_Tag=3
    Nonspecific_Reader_Error=4 Incorrect_Password_Error=5 Tag_Memory_Overrun_Error=6
C1G2GetBlockPermalockStatusResultType Success=0 Nonspecific_Tag_Error=1 No_Response_From_Tag=2
    Nonspecific_Reader_Error=3 Incorrect_Password_Error=4 Tag_Memory_Overrun_Error=5
"""
